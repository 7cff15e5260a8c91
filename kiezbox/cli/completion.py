"""Print what makes a shell complete kiezbox's verbs and options.

  kiezbox completion bash | sudo tee /etc/bash_completion.d/kiezbox > /dev/null
  kiezbox completion zsh  > "${fpath[1]}/_kiezbox"
  kiezbox completion fish > ~/.config/fish/completions/kiezbox.fish

Verbs, the actions of each, and its options are read from the verbs themselves when this is printed;
print it anew after an update.
"""

from __future__ import annotations

import argparse
from typing import Any, NamedTuple


class Words(NamedTuple):
    """What may follow a verb."""

    about: str
    actions: tuple[str, ...]
    options: tuple[str, ...]
    #: Options that want a word behind them -> which words; none: any, such as a file's name.
    values: dict[str, tuple[str, ...]] = {}


class _Found(Exception):
    """A verb was about to read its arguments."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self.parser = parser


def words() -> dict[str, Words]:
    """Every verb, with its actions and options."""
    from kiezbox.cli import verbs

    return {verb: _words_of(verb) for verb in verbs()}


def _words_of(verb: str) -> Words:
    module = __import__(f"kiezbox.cli.{verb}", fromlist=["main"])
    about = (module.__doc__ or "").strip().splitlines()[0]
    parser = _parser_of(module.main)
    if parser is None:
        return Words(about, (), ("--help",))
    actions: list[str] = []
    options: list[str] = []
    values: dict[str, tuple[str, ...]] = {}
    for action in parser._actions:
        if action.option_strings:
            names = [each for each in action.option_strings if each.startswith("--")]
            options += names
            if action.nargs != 0:
                values |= dict.fromkeys(names, tuple(map(str, action.choices or ())))
        elif action.choices and not actions:
            actions += map(str, action.choices)
    return Words(about, tuple(actions), tuple(sorted(options)), values)


def _parser_of(main: Any) -> argparse.ArgumentParser | None:
    """The parser that a verb makes, taken when it wants to read with it: nothing else is done."""

    def take(parser: argparse.ArgumentParser, *_: Any, **__: Any) -> Any:
        raise _Found(parser)

    reading = {name: getattr(argparse.ArgumentParser, name)
               for name in ("parse_args", "parse_known_args", "parse_intermixed_args")}  # fmt: skip
    try:
        for name in reading:
            setattr(argparse.ArgumentParser, name, take)
        # An argument that no verb's quick way knows.
        main(["--help"])
    except _Found as found:
        return found.parser
    finally:
        for name, method in reading.items():
            setattr(argparse.ArgumentParser, name, method)
    return None


def bash(found: dict[str, Words]) -> str:
    """A function for bash's ``complete`` (bash(1), Programmable Completion)."""
    cases = "\n".join(
        f'    {verb}) words="{" ".join((*each.actions, *each.options))}";;'
        for verb, each in found.items()
    )
    values = "\n".join(
        f"    '{verb} {option}') "
        + (
            f'COMPREPLY=($(compgen -W "{" ".join(said)}" -- "$cur")); return;;'
            if said
            else "return;;"
        )  # fmt: skip
        for verb, each in found.items()
        for option, said in each.values.items()
    )
    return f"""\
_kiezbox() {{
  local cur="${{COMP_WORDS[COMP_CWORD]}}" words="" before="${{COMP_WORDS[COMP_CWORD-1]}}"
  COMPREPLY=()
  # What an option wants; where that is anything, the shell offers names of files.
  case "${{COMP_WORDS[1]}} $before" in
{values}
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="{" ".join((*found, "--help", "--version"))}"
  else
    case "${{COMP_WORDS[1]}}" in
{cases}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}}
complete -o default -F _kiezbox kiezbox
"""


def zsh(found: dict[str, Words]) -> str:
    """A function for zsh's completion system (zshcompsys(1))."""
    verbs = "\n".join(f"    {_quoted(f'{verb}:{each.about}')}" for verb, each in found.items())
    cases = "\n".join(
        f"    {verb}) compadd -- {' '.join((*each.actions, *each.options))}"
        f"{'; (( CURRENT == 3 )) && return' if each.actions else ''} ;;"
        for verb, each in found.items()
    )
    values = "\n".join(
        f"    '{verb} {option}') {f'compadd -- {chr(32).join(said)}' if said else '_files'};"
        " return ;;"
        for verb, each in found.items()
        for option, said in each.values.items()
    )
    return f"""\
#compdef kiezbox
_kiezbox() {{
  local -a verbs
  verbs=(
{verbs}
  )
  if (( CURRENT == 2 )); then
    _describe verb verbs
    compadd -- --help --version
    return
  fi
  case "$words[2] $words[CURRENT-1]" in
{values}
  esac
  case "$words[2]" in
{cases}
  esac
  _files
}}
# Called by compinit, or sourced once.
if [ "$funcstack[1]" = _kiezbox ]; then _kiezbox "$@"; else compdef _kiezbox kiezbox; fi
"""


def fish(found: dict[str, Words]) -> str:
    """Lines for fish's ``complete`` (complete(1))."""
    lines = [
        "complete -c kiezbox -n __fish_use_subcommand -f",
        "complete -c kiezbox -n __fish_use_subcommand -l help",
        "complete -c kiezbox -n __fish_use_subcommand -l version",
    ]
    for verb, each in found.items():
        about = _quoted(each.about)
        lines.append(f"complete -c kiezbox -n __fish_use_subcommand -a {verb} -d {about}")
        seen = f"-n '__fish_seen_subcommand_from {verb}'"
        if each.actions:
            first = f"{seen[:-1]}; and test (count (commandline -opc)) -eq 2'"
            lines.append(f"complete -c kiezbox {first} -f -a '{' '.join(each.actions)}'")
        for option in each.options:
            said = each.values.get(option)
            wants = "" if said is None else f" -x -a '{' '.join(said)}'" if said else " -r"
            lines.append(f"complete -c kiezbox {seen} -l {option[2:]}{wants}")
    return "\n".join([*lines, ""])


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


_SHELLS = {"bash": bash, "zsh": zsh, "fish": fish}


def main(argv: list[str]) -> int:
    """``kiezbox completion SHELL``."""
    from kiezbox.cli._common import Parser

    parser = Parser("completion", __doc__)
    parser.add_argument("shell", choices=_SHELLS)
    print(_SHELLS[parser.parse_args(argv).shell](words()), end="")
    return 0
