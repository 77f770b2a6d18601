"""The command at the terminal. Verbs import what they need only when they run, so that the list of verbs appears at once."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

__all__ = ["main"]

EXIT_FAILED, EXIT_UNAVAILABLE, EXIT_INTERRUPTED = 1, 69, 130

_ABOUT = """Pays a province's monthly social-security allowances, end to end.

First time here?   ./ansinh demo     a whole province's month, from spreadsheets to the report (sets everything up itself)
                   ./ansinh test     the quick tests; with --all every test
"""


def _say(text: str) -> None:
    print(text, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./ansinh", description=_ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter, epilog="./ansinh VERB --help says more."
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB")

    def verb(name: str, text: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=text, description=text)
        added.set_defaults(run=run)
        return added

    up = verb("up", "start database, broker, services, simulators and console; Ctrl-C stops them", _up)
    up.add_argument("--detach", action="store_true", help="leave it running in the background")
    up.add_argument("--province", default=None, metavar="CODE", help="province of the ready users, two digits (default 60)")
    up.add_argument("--apache-kafka", action="store_true", help="a real Apache Kafka (Maven and Java) instead of the embedded broker")
    down = verb("down", "stop everything started here (drains first)", _down)
    down.add_argument("--now", action="store_true", help="do not drain; the next start publishes open events again")
    verb("status", "what runs, since when, and where to look", _status)
    logs = verb("logs", "show the log of a process, or of all", _logs)
    logs.add_argument("process", nargs="?", help="a name from `status`")
    logs.add_argument("-n", "--lines", type=int, default=40, metavar="N", help="the last N lines (default 40)")
    logs.add_argument("-f", "--follow", action="store_true", help="go on until Ctrl-C")
    demo = verb("demo", "the main job: one province's month from spreadsheets to the published table, checked against the truth", _demo)
    _sample_options(demo)
    demo.add_argument("--json", type=Path, metavar="PATH", help="also write the result as one JSON object")
    demo.add_argument("--keep", action="store_true", help="leave everything running at the end, to look at it in the console")
    _test_options(verb("test", "the quick tests (5 minutes or less); with --all every test", _test))
    bench = verb("bench", "rate and memory of each stage, from a real run of the embedded stack", _bench)
    bench.add_argument("--json", type=Path, metavar="PATH")
    bench.add_argument("--stages", default=None, metavar="A,B", help="which (default: all): imports, verify, dues, list, accept, results, "
                       "statement, relay, projection, webhook")  # fmt: skip
    bench.add_argument("--people", type=int, default=20_000, metavar="N", help="of the month: imports, verify, dues, projection")
    bench.add_argument("--size", type=int, default=20_000, metavar="N", help="payments of every other stage (a province: 500000)")
    bench.add_argument("--pace", type=float, default=50.0, metavar="N", help="notices a second in the stage webhook")
    bench.add_argument("--seed", type=int, default=None)
    chaos = verb("chaos", "months of people while processes are killed and frozen and lose their log; then the books are compared", _chaos)
    chaos.add_argument("--people", type=int, default=20_000, metavar="N", help="of each month (default 20000)")
    chaos.add_argument("--kills", type=int, default=200, metavar="N", help="months follow each other until so many have died (default 200)")
    chaos.add_argument("--seed", type=int, default=None, metavar="N", help="repeats the deeds of a run, in their order")
    chaos.add_argument("--preset", default=None, help="binh-thuan (default), kien-giang or huong-khe")
    chaos.add_argument("--apache-kafka", action="store_true", help="on a real Apache Kafka (Maven and Java) instead of the embedded broker")
    chaos.add_argument("--json", type=Path, metavar="PATH", help="also write the result as one JSON object")
    drill = verb(
        "drill", "rehearse a disaster on a stack of its own: the databases are put back to the past while money is on its way", _drill
    )
    drill.add_argument("what", choices=["restore"], help="restore: pause, read back, two people resume, nobody is paid twice")
    drill.add_argument("--people", type=int, default=2_000, metavar="N", help="of the month (default 2000)")
    drill.add_argument(
        "--scope", choices=["all", "disbursement", "both"], default="both", help="which databases go back (default: first all, then one)"
    )
    drill.add_argument("--preset", default=None, help="binh-thuan (default), kien-giang or huong-khe")
    drill.add_argument("--json", type=Path, metavar="PATH", help="also write what was found, one object per rehearsal")
    sample = verb("sample", "write a month's input as commune offices have it: XLSX and CSV per commune", _sample)
    sample.add_argument("--out", type=Path, required=True, metavar="DIR")
    _sample_options(sample)
    events = verb("events", "events and their outboxes", _events)
    events.add_argument("what", choices=["replay"], help="replay: publish the window again, after a broker lost its log")
    events.add_argument("--since", type=_moment, metavar="TIME", help="ISO time; default: the whole replay window")
    verify = verb("verify-list", "make a cycle's payment list again from its cut-off and compare the hashes", _verify_list)
    verify.add_argument("cycle", metavar="CYCLE", help="id of the cycle")
    verify.add_argument("--user", default="approver", help="who asks (a ready user; default approver)")
    _trust_verbs(verb)
    verb("check", "lint, types, import rules, lock and bill of materials", _check)
    secrets = verb("secrets", "make passwords, keyrings and partner file for docker-compose.yml", _secrets)
    secrets.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder, such as deploy/secrets")
    lock = verb("lock", "compile requirements.lock again from the pyproject files", _lock)
    lock.add_argument("--upgrade", action="store_true", help="take newer versions")
    lock.add_argument("--check", action="store_true", help="only say whether it fits")
    return parser


def _trust_verbs(verb: Callable[[str, str, Callable[[argparse.Namespace], int]], argparse.ArgumentParser]) -> None:
    verb("sbom", "write the bill of materials (CycloneDX, with licences) of what the lock pins", _sbom)
    audit = verb("audit", "read the audit logs against their hash chains; give out anchors", _audit)
    audit.add_argument("what", choices=["verify", "anchors"], help="verify: find any changed, removed, inserted or reordered row; "
                       "anchors: the heads of the chains so far, to keep elsewhere")  # fmt: skip
    audit.add_argument("--service", default=None, metavar="NAME", help="only this one (default: all five)")
    audit.add_argument("--anchors", type=Path, metavar="FILE", help="verify: against anchors kept elsewhere; anchors: add new ones here")
    audit.add_argument("--json", type=Path, metavar="PATH", help="verify: also write the verdict as one JSON object")
    keys = verb("keys", "keys of what lies encrypted: status, and rotation while the services serve", _keys)
    keys.add_argument("what", choices=["rotate", "retire", "status"], help="rotate: new keys, everything sealed again, old keys "
                      "destroyed; started again it goes on where it was stopped; retire: older keys of events that nothing needs any more "
                      "are destroyed; status: the keys there are, and erasures that wait for keys to be destroyed")  # fmt: skip
    keys.add_argument("--service", default=None, metavar="NAME", help="only this one (default: all five)")
    keys.add_argument("--events", action="store_true", help="rotate: the keys of what travels in events instead")
    retention = verb("retention", "what is deleted after how long, and how much is due now (changes nothing)", _retention)
    retention.add_argument("--service", default=None, metavar="NAME", help="only this one (default: all five)")
    retention.add_argument("--json", type=Path, metavar="PATH")


def _test_options(test: argparse.ArgumentParser) -> None:
    test.add_argument("--all", action="store_true", help="every test, in parts (about an hour), with a table at the end")
    test.add_argument("--minutes", type=float, default=None, metavar="N", help="with --all: stop what has not ended by then (default 85)")
    test.add_argument("arguments", nargs="*", help="passed to pytest, after --")


def _sample_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--preset", default=None, help="binh-thuan (default), kien-giang or huong-khe")
    parser.add_argument("--province", default=None, metavar="CODE", help="any province, two digits")
    parser.add_argument("--people", type=int, default=None, metavar="N", help="how many; default: the preset's own number")
    parser.add_argument("--seed", type=int, default=None, metavar="N", help="another seed makes other people")


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.astimezone()


def _up(options: argparse.Namespace) -> int:
    from ansinh.stack import commands

    if options.detach:
        return commands.up_detached(options.province, _say, apache_kafka=options.apache_kafka)
    return commands.up_foreground(options.province, _say, apache_kafka=options.apache_kafka)


def _down(options: argparse.Namespace) -> int:
    from ansinh.stack import commands

    return commands.down(_say, now=options.now)


def _status(_options: argparse.Namespace) -> int:
    from ansinh.stack import commands

    return commands.status(_say)


def _logs(options: argparse.Namespace) -> int:
    from ansinh.stack import commands

    return commands.logs(options.process, options.lines, follow=options.follow)


def _demo(options: argparse.Namespace) -> int:
    from ansinh import demo_command

    return demo_command.run(options, _say)


def _bench(options: argparse.Namespace) -> int:
    from ansinh.bench.command import run

    return run(options, _say)


def _chaos(options: argparse.Namespace) -> int:
    from ansinh.chaos.command import run

    return run(options, _say)


def _drill(options: argparse.Namespace) -> int:
    from ansinh.drill.command import run

    return run(options, _say)


def _sample(options: argparse.Namespace) -> int:
    from ansinh import demo_command

    return demo_command.write_sample(options, _say)


def _events(options: argparse.Namespace) -> int:
    from ansinh.stack import commands

    return commands.events_replay(options.since, _say)


def _verify_list(options: argparse.Namespace) -> int:
    from ansinh import verify_list

    return verify_list.run(options.cycle, options.user, _say)


def _audit(options: argparse.Namespace) -> int:
    from ansinh.audit_command import run

    return run(options, _say)


def _keys(options: argparse.Namespace) -> int:
    from ansinh.keys_command import run

    return run(options, _say)


def _retention(options: argparse.Namespace) -> int:
    from ansinh.retention_command import run

    return run(options, _say)


def _secrets(options: argparse.Namespace) -> int:
    from ansinh.stack import production

    return production.write_compose_secrets(options.out, _say)


def _test(options: argparse.Namespace) -> int:
    from ansinh import checks

    return checks.test(_say, everything=options.all, minutes=options.minutes, arguments=options.arguments)


def _check(_options: argparse.Namespace) -> int:
    from ansinh import checks

    return checks.check(_say)


def _sbom(_options: argparse.Namespace) -> int:
    from ansinh import sbom

    _say(sbom.write_sbom())
    problems = sbom.problems_of_sbom()
    for problem in problems:
        _say(problem)
    return EXIT_FAILED if problems else 0


def _lock(options: argparse.Namespace) -> int:
    from ansinh import lock

    if not options.check:
        _say(lock.compile_lock(upgrade=options.upgrade))
    problems = lock.problems_of_lock()
    for problem in problems:
        _say(problem)
    return EXIT_FAILED if problems else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a verb; its exit code. Anything that goes wrong is one clear line and a code that is not 0."""
    parser = _parser()
    given = sys.argv[1:] if arguments is None else list(arguments)
    options = parser.parse_args([*given[1:], "--help"] if given[:1] == ["help"] else given)
    if options.verb is None:
        parser.print_help()
        return 0
    try:
        return int(options.run(options))
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # the reader (`| head`) has gone; nothing is left to flush at the end either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except OSError as error:
        _complain(f"{error.strerror or error}" + (f": {error.filename}" if error.filename else ""))
        return EXIT_UNAVAILABLE
    except Exception as error:
        if os.environ.get("ANSINH_DEBUG"):
            raise
        kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
        _complain(f"{kind}{error} (ANSINH_DEBUG=1 shows where)")
        return EXIT_FAILED


def _complain(text: str) -> None:
    print(f"ansinh: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
