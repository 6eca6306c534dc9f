#!/usr/bin/env python3
"""Ask ec2sim and moto the same questions about AWS, and hold both to what AWS does.

    run.py EC2SIM                   all scenarios; EC2SIM is the simulator's binary
    run.py EC2SIM --only NAME       one of them
    run.py EC2SIM --write           and write ec2sim/DIFFERENCES.md anew

Run it with the Python of moto's environment (tools/moto/serve.py setup prints it). ec2sim must do what AWS does at
every probe. moto must too, or its difference is listed in differences.py; one that is no more, or at a probe that is
not there, fails as well. The list is published in ec2sim/DIFFERENCES.md, which must not drift.
"""

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

# For their scenarios, in the order in which they are published.
import peerings  # noqa: F401
import listings  # noqa: F401
import routes  # noqa: F401
import tables  # noqa: F401
import groups  # noqa: F401
import trails  # noqa: F401
import queues  # noqa: F401
import identities  # noqa: F401
import differences
from lab import SCENARIOS, Ec2sim, Moto, play


def complain(seen, server, what):
    print(f"\nFAILED on {server}: {seen.scenario}: {seen.probe}\n  expected {seen.aws}\n  got      {seen.got}\n"
          f"  source   {seen.source}\n  {what}", flush=True)


def fault_of_moto(seen):
    """What is wrong with the list, if anything."""
    listed = differences.LISTED.get(seen.key)
    if listed is None:
        return None if seen.is_aws else f"if moto is wrong, list it in differences.py: {differences.entry(seen)}"
    if seen.is_aws:
        return "moto does as AWS now: take its line out of differences.py"
    return None if seen.got == listed else f"differences.py has {listed!r}"


def judge(ec2sim, moto, whole):
    """How many faults were found; each is printed."""
    found = [(seen, "ec2sim", "ec2sim must do as AWS does") for seen in ec2sim if not seen.is_aws]
    found += [(seen, "moto", fault) for seen in moto if (fault := fault_of_moto(seen))]
    for fault in found:
        complain(*fault)
    asked = {seen.key for seen in moto}
    stray = [key for key in differences.LISTED if whole and key not in asked]
    for scenario, probe in stray:
        print(f"\nFAILED: differences.py lists {probe!r} of {scenario}, and there is no such probe")
    return len(found) + len(stray)


def see_all(names, server):
    return [seen for name in names for seen in play(name, server)]


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("ec2sim", help="the simulator's binary")
    options.add_argument("--only", metavar="NAME", choices=list(SCENARIOS), help=", ".join(SCENARIOS))
    options.add_argument("--write", action="store_true", help="write ec2sim/DIFFERENCES.md anew")
    asked = options.parse_args()
    if asked.only and asked.write:
        options.error("--write needs all scenarios")
    names = [asked.only] if asked.only else list(SCENARIOS)
    began = time.monotonic()
    with Ec2sim(asked.ec2sim) as ec2sim, Moto() as moto:
        with ThreadPoolExecutor() as both:
            of_ec2sim, of_moto = both.map(lambda server: see_all(names, server), (ec2sim, moto))
    faults = judge(of_ec2sim, of_moto, whole=not asked.only)
    alike = sum(one.is_aws for one in of_moto)
    print(f"  {len(names)} scenarios with {len(of_ec2sim)} probes; moto does as AWS at {alike} of them "
          f"({time.monotonic() - began:.0f} s)")
    if not asked.only:
        faults += differences.publish(of_moto, version("moto"), asked.write)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
