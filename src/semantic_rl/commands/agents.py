"""semantic-rl agents."""

import json

from semantic_rl.commands.parse import parse
from semantic_rl.config import AgentsConfig


def run(arguments: list[str]) -> None:
    """List the shipped agents, or print one's card."""
    config = parse(AgentsConfig, arguments, "agents")
    from semantic_rl.agents import find_agent, shipped_agents

    if config.name:
        agent = find_agent(config.name)
        print(json.dumps(agent.card, indent=2) if config.json else agent.table())
        return
    agents = shipped_agents()
    if config.json:
        print(json.dumps({agent.name: agent.card for agent in agents}, indent=2))
        return
    width = max((len(agent.name) for agent in agents), default=0)
    for agent in agents:
        print(f"{agent.name:<{width}}  {agent.line()}")
