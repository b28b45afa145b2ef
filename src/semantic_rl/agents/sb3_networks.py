"""One forward pass through a policy network of Stable-Baselines3 or sb3-contrib: policy columns, value, next state.

Each kind of network is a function of the policy, an observation as the library's `obs_to_tensor` makes it, the
recurrent state and where episodes start. The numbers are those of the library's own `get_distribution` and
`predict_values`, which would each run a part of the network again.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import gymnasium as gym
import torch
from torch import Tensor, nn

from semantic_rl.agents.protocol import PolicyKind
from semantic_rl.errors import UserError

State = tuple[Tensor, ...]
"""Hidden and cell states of the policy's LSTM, and of the value's if it has its own: [B, layers, H] each."""


class Outputs(NamedTuple):
    """What a forward pass gives for B observations."""

    columns: Tensor
    """[B, P]"""
    value: Tensor | None
    """[B]"""
    state: State | None


class Network(NamedTuple):
    """How a kind of policy network is run, and which layer is recorded by default."""

    policy_kind: PolicyKind
    layer: str
    """The last latent before the policy's output."""
    forward: Callable[[Any, Any, Any], Outputs]
    is_recurrent: bool = False
    takes_action_masks: bool = False


def network_of(policy: nn.Module) -> Network:
    """Return how a policy is run; raises UserError if it is none of the known kinds, or acts in a way of its own."""
    from sb3_contrib.ars.policies import ARSPolicy
    from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy
    from sb3_contrib.common.recurrent.policies import RecurrentActorCriticPolicy
    from sb3_contrib.qrdqn.policies import QRDQNPolicy
    from sb3_contrib.tqc.policies import TQCPolicy
    from stable_baselines3.common.policies import ActorCriticPolicy
    from stable_baselines3.dqn.policies import DQNPolicy
    from stable_baselines3.sac.policies import SACPolicy
    from stable_baselines3.td3.policies import TD3Policy

    acting = ("_predict", "get_distribution", "_get_action_dist_from_latent", "predict_values")
    if isinstance(policy, RecurrentActorCriticPolicy):
        _check_methods(policy, RecurrentActorCriticPolicy, acting)
        kind = _kind_of(policy)
        return Network(kind, "mlp_extractor.policy_net", _recurrent(policy), is_recurrent=True)
    if isinstance(policy, MaskableActorCriticPolicy):
        _check_methods(policy, MaskableActorCriticPolicy, acting)
        kind = _kind_of(policy)
        return Network(kind, "mlp_extractor.policy_net", _actor_critic(policy), takes_action_masks=True)
    if isinstance(policy, ActorCriticPolicy):
        _check_methods(policy, ActorCriticPolicy, acting)
        return Network(_kind_of(policy), "mlp_extractor.policy_net", _actor_critic(policy))
    if isinstance(policy, DQNPolicy):
        _check_methods(policy, DQNPolicy, ("_predict",))
        layer = _before_last_linear(policy.q_net.q_net, "q_net.q_net", "q_net.features_extractor")
        return Network("q_values", layer, _q_values(policy.q_net))
    if isinstance(policy, QRDQNPolicy):
        _check_methods(policy, QRDQNPolicy, ("_predict",))
        network = policy.quantile_net
        layer = _before_last_linear(
            network.quantile_net, "quantile_net.quantile_net", "quantile_net.features_extractor"
        )
        return Network("q_values", layer, _mean_quantiles(network))
    if isinstance(policy, SACPolicy | TQCPolicy):
        _check_methods(policy, SACPolicy if isinstance(policy, SACPolicy) else TQCPolicy, ("_predict",))
        return Network("squashed_gaussian", "actor.latent_pi", _squashed_gaussian(policy.actor))
    if isinstance(policy, TD3Policy):
        _check_methods(policy, TD3Policy, ("_predict",))
        layer = _before_last_linear(policy.actor.mu, "actor.mu", "actor.features_extractor")
        return Network("deterministic", layer, _plain(policy.actor, policy.actor.mu))
    if isinstance(policy, ARSPolicy):
        _check_methods(policy, ARSPolicy, ("_predict", "forward"))
        layer = _before_last_linear(policy.action_net, "action_net", "features_extractor")
        return Network("deterministic", layer, _plain(policy, policy.action_net))
    raise UserError(
        f"agent: a policy of class {type(policy).__name__} is not one that is known (PPO, A2C, TRPO, DQN, QR-DQN, SAC, "
        "TD3, DDPG, TQC, ARS, RecurrentPPO, MaskablePPO); wrap its network with semantic_rl.module_agent."
    )


def _check_methods(policy: nn.Module, library: type[nn.Module], names: tuple[str, ...]) -> None:
    for name in names:
        if getattr(type(policy), name, None) is not getattr(library, name, None):
            raise UserError(
                f"agent: policy class {type(policy).__name__} has a '{name}' of its own, so how it acts is unknown; "
                "wrap its network with semantic_rl.module_agent."
            )


def _kind_of(policy: Any) -> PolicyKind:
    space = policy.action_space
    if isinstance(space, gym.spaces.Discrete):
        return "categorical"
    if isinstance(space, gym.spaces.Box):
        return "squashed_gaussian" if policy.squash_output else "gaussian"
    return "multi_categorical"


def _before_last_linear(network: nn.Sequential, name: str, otherwise: str) -> str:
    """Return the name of the module before the last linear one of a Sequential."""
    last = max((index for index, module in enumerate(network) if isinstance(module, nn.Linear)), default=0)
    return f"{name}.{last - 1}" if last else otherwise


def _columns(policy: Any) -> Callable[[Tensor], Tensor]:
    """Return the function from the policy's latent to its columns, for an actor-critic."""
    from stable_baselines3.common.distributions import BernoulliDistribution, StateDependentNoiseDistribution

    distribution, action_net = policy.action_dist, policy.action_net

    def exploring(latent: Tensor) -> Tensor:
        mean = action_net(latent)
        log_std = _log_std_of_exploration(distribution, policy.log_std, latent)
        return torch.cat((mean, log_std), 1)

    def gaussian(latent: Tensor) -> Tensor:
        mean = action_net(latent)
        return torch.cat((mean, policy.log_std.expand_as(mean)), 1)

    def binary(latent: Tensor) -> Tensor:
        on = action_net(latent)
        return torch.stack((torch.zeros_like(on), on), 2).flatten(1)

    if isinstance(distribution, StateDependentNoiseDistribution):
        return exploring
    if isinstance(distribution, BernoulliDistribution):
        return binary
    return gaussian if isinstance(policy.action_space, gym.spaces.Box) else action_net


def _log_std_of_exploration(distribution: Any, log_std: Tensor, latent: Tensor) -> Tensor:
    """Return the log standard deviations [B, A] of state-dependent exploration, whose noise is drawn anew here.

    The library draws one matrix of noise and keeps it for many steps; in one state its action has this distribution.
    """
    variance = (latent**2) @ (distribution.get_std(log_std) ** 2)
    return 0.5 * (variance + distribution.epsilon).log()


def _actor_critic(policy: Any) -> Callable[..., Outputs]:
    columns_of = _columns(policy)

    def forward(observation: Any, state: None, starts: None) -> Outputs:
        features = policy.extract_features(observation)
        for_policy, for_value = (features, features) if policy.share_features_extractor else features
        columns = columns_of(policy.mlp_extractor.forward_actor(for_policy))
        value = policy.value_net(policy.mlp_extractor.forward_critic(for_value))
        return Outputs(columns, value.flatten(), None)

    return forward


def _recurrent(policy: Any) -> Callable[..., Outputs]:
    columns_of = _columns(policy)

    def run(lstm: nn.LSTM, features: Tensor, state: State, starts: Tensor) -> tuple[Tensor, State]:
        keep = (1.0 - starts).view(-1, 1, 1)
        hidden = [(keep * part).transpose(0, 1).contiguous() for part in state]
        output, after = lstm(features.unsqueeze(0), (hidden[0], hidden[1]))
        return output[0], tuple(part.transpose(0, 1) for part in after)

    def forward(observation: Any, state: State, starts: Tensor) -> Outputs:
        features = policy.extract_features(observation)
        for_policy, for_value = (features, features) if policy.share_features_extractor else features
        latent, after = run(policy.lstm_actor, for_policy, state[:2], starts)
        if policy.lstm_critic is not None:
            latent_value, after_value = run(policy.lstm_critic, for_value, state[2:], starts)
            after = (*after, *after_value)
        else:
            latent_value = latent if policy.shared_lstm else policy.critic(for_value)
        columns = columns_of(policy.mlp_extractor.forward_actor(latent))
        value = policy.value_net(policy.mlp_extractor.forward_critic(latent_value))
        return Outputs(columns, value.flatten(), after)

    return forward


def zero_state(policy: Any, num_envs: int) -> State:
    """Return the recurrent state at the start of an episode."""
    num_layers, _, size = policy.lstm_hidden_state_shape
    return (torch.zeros(num_envs, num_layers, size),) * (2 if policy.lstm_critic is None else 4)


def _q_values(network: Any) -> Callable[..., Outputs]:
    def forward(observation: Any, state: None, starts: None) -> Outputs:
        columns = network(observation)
        return Outputs(columns, columns.amax(1), None)

    return forward


def _mean_quantiles(network: Any) -> Callable[..., Outputs]:
    def forward(observation: Any, state: None, starts: None) -> Outputs:
        columns = network(observation).mean(1)
        return Outputs(columns, columns.amax(1), None)

    return forward


def _squashed_gaussian(actor: Any) -> Callable[..., Outputs]:
    def forward(observation: Any, state: None, starts: None) -> Outputs:
        mean, log_std, more = actor.get_action_dist_params(observation)
        if actor.use_sde:
            log_std = _log_std_of_exploration(actor.action_dist, log_std, more["latent_sde"])
        return Outputs(torch.cat((mean, log_std), 1), None, None)

    return forward


def _plain(policy: Any, network: nn.Module) -> Callable[..., Outputs]:
    def forward(observation: Any, state: None, starts: None) -> Outputs:
        return Outputs(network(policy.extract_features(observation, policy.features_extractor)), None, None)

    return forward
