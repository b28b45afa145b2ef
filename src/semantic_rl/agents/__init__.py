"""Agents, whoever trained them: their protocol, how they are opened, and the ones that ship with the package.

protocol.py    Agent and AgentStep, which everything that plays is written against
open.py        what a user types: a run, a shipped name, a zip, a function in a file
policy.py      agents that this package trained
sb3.py         agents of Stable-Baselines3 and sb3-contrib, in memory or as a zip
module.py      any PyTorch module and a layer of it · user_file.py: a function of the user's that makes an agent
shipped.py     agents that ship with the package, a folder each · pack.py: makes such a folder
"""

from semantic_rl.agents.shipped import FOLDER, ShippedAgent, find_agent, read_card, shipped_agents

__all__ = ["FOLDER", "ShippedAgent", "find_agent", "read_card", "shipped_agents"]
