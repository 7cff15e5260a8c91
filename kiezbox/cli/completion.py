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
    for action in parser._actions:
        if action.option_strings:
            options += [each for each in action.option_strings if each.startswith("--")]
        elif action.choices and not actions:
            actions += map(str, action.choices)
    return Words(about, tuple(actions), tuple(sorted(options)))


def _parser_of(main: Any) -> argparse.ArgumentParser | None:
    """The parser that a verb makes, taken when it wants to read with it: nothing else is done."""

    def take(parser: argparse.ArgumentParser, *_: Any, **__: Any) -> Any:
        raise _Found(parser)

    reading = {name: getattr(argparse.ArgumentParser, name)
               for name in ("parse_args", "parse_known_args")}  # fmt: skip
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
    return f"""\
_kiezbox() {{
  local cur="${{COMP_WORDS[COMP_CWORD]}}" words="" before="${{COMP_WORDS[COMP_CWORD-1]}}"
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="{" ".join((*found, "--help", "--version"))}"
  else
    case "${{COMP_WORDS[1]}}" in
{cases}
    esac
  fi
  COMPREPLY=()
  case "$before" in
    # A file's name follows.
    --settings|--store|--key|--sign|--to) return;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}}
complete -o default -F _kiezbox kiezbox
"""


def zsh(found: dict[str, Words]) -> str:
    """A function for zsh's completion system (zshcompsys(1))."""
    verbs = "\n".join(f"    {_quoted(f'{verb}:{each.about}')}" for verb, each in found.items())
    cases = "\n".join(
        f"    {verb}) compadd -- {' '.join((*each.actions, *each.options))} ;;"
        for verb, each in found.items()
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
    return
  fi
  case "$words[2]" in
{cases}
  esac
  _files
}}
_kiezbox "$@"
"""


def fish(found: dict[str, Words]) -> str:
    """Lines for fish's ``complete`` (complete(1))."""
    lines = []
    for verb, each in found.items():
        about = _quoted(each.about)
        lines.append(f"complete -c kiezbox -n __fish_use_subcommand -a {verb} -d {about}")
        seen = f"-n '__fish_seen_subcommand_from {verb}'"
        if each.actions:
            lines.append(f"complete -c kiezbox {seen} -a '{' '.join(each.actions)}'")
        lines += [f"complete -c kiezbox {seen} -l {option[2:]}" for option in each.options]
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
