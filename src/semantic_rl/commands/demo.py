"""semantic-rl demo."""

import sys
import time

from semantic_rl.commands.parse import parse
from semantic_rl.config import DemoConfig


def run(arguments: list[str]) -> None:
    """Run all steps, print what each does and how long it took, and list the results."""
    config = parse(DemoConfig, arguments, "demo")
    from semantic_rl.demo import RECORDING, REPORT, STEPS, check_places, contents

    check_places(config)
    begun = time.monotonic()
    print(f"What the agent {config.agent} has learned, in {config.out}\n")
    try:
        for number, step in enumerate(STEPS, 1):
            print(f"{number}/{len(STEPS)}  {step.name:<8} {step.about}", flush=True)
            started = time.monotonic()
            result = step.run(config)
            print(f"     {time.monotonic() - started:5.1f} s  {result}", flush=True)
    except (KeyboardInterrupt, SystemExit):
        print("Finished parts are kept: the same demo command continues from here.", file=sys.stderr)
        raise
    print(f"\nAll in {time.monotonic() - begun:.0f} seconds:\n\n{contents(config)}\n")
    print(f"Explore the states: semantic-rl explore {config.out / RECORDING}")
    print(f"Open {config.out / REPORT} in a browser.")
