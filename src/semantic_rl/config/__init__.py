"""Every setting and its default, as frozen dataclasses; the command line and its help are made from them."""

from semantic_rl.config.agents import AgentsConfig, PackConfig
from semantic_rl.config.checking import CheckConfig
from semantic_rl.config.checks import Device, Precision, to_dict
from semantic_rl.config.clips import ClipsConfig, ClipSettings
from semantic_rl.config.curves import CurvesFigureConfig
from semantic_rl.config.demo import DemoConfig
from semantic_rl.config.explore import ExploreConfig
from semantic_rl.config.figures import ClustersFigureConfig, EmbeddingsFigureConfig, TransitionsFigureConfig
from semantic_rl.config.fit import FitConfig
from semantic_rl.config.import_states import ImportStatesConfig
from semantic_rl.config.layers import LayersConfig
from semantic_rl.config.metrics import MetricsConfig
from semantic_rl.config.playing import RECORDING_MAY_CHANGE_ON_RESUME, EvaluateConfig, RecordConfig
from semantic_rl.config.report import ReportConfig
from semantic_rl.config.reproduce import ReproduceConfig
from semantic_rl.config.training import (
    MAY_CHANGE_ON_RESUME,
    Algorithm,
    EnvConfig,
    ImportOriginalConfig,
    PPOConfig,
    SemanticConfig,
    TrainConfig,
)

__all__ = [
    "MAY_CHANGE_ON_RESUME",
    "RECORDING_MAY_CHANGE_ON_RESUME",
    "AgentsConfig",
    "Algorithm",
    "CheckConfig",
    "ClipSettings",
    "ClipsConfig",
    "ClustersFigureConfig",
    "CurvesFigureConfig",
    "DemoConfig",
    "Device",
    "EmbeddingsFigureConfig",
    "EnvConfig",
    "EvaluateConfig",
    "ExploreConfig",
    "FitConfig",
    "ImportOriginalConfig",
    "ImportStatesConfig",
    "LayersConfig",
    "MetricsConfig",
    "PPOConfig",
    "PackConfig",
    "Precision",
    "RecordConfig",
    "ReportConfig",
    "ReproduceConfig",
    "SemanticConfig",
    "TrainConfig",
    "TransitionsFigureConfig",
    "to_dict",
]
