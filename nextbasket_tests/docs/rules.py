"""What becomes of each documented command: it is run in a small shop, or it is not run for a reason that stands here."""

# Run by test_commands_run.py: what is added to the arguments, so that it fits a small shop.
RUN: dict[str, tuple[str, ...]] = {
    "nextbasket --help": (),
    "nextbasket shop": ("--customers=20", "--weeks=2", "--products=300"),
    "nextbasket land": (),
    "nextbasket demo": (),
    "make demo": (),
    "nextbasket score": (),
    "nextbasket export": (),
    "nextbasket missions": (),
    "nextbasket customer": (),
    "nextbasket evaluation": (),
    "nextbasket report": (),
    "nextbasket doctor": (),
    "nextbasket erase": ("--yes",),
    "nextbasket rollback": ("--no-rescore",),
    "nextbasket promote": ("--no-rescore",),
}

_SUITE = "runs tests of its own; CI runs it"
_CLOUD = "needs an AWS account; its files, variables and settings are looked up here, the rest is played by `make emr`"
_SERVES = "serves until it is stopped; the browser tests open it"
_SHELL = "changes the shell or the machine it is typed on, nothing of ours"

NOT_RUN: dict[str, str] = {
    "nextbasket ui": _SERVES,
    "make ui": _SERVES,
    **dict.fromkeys(("make test", "make slow", "make emr", "make check", "make faults", "make browser"), _SUITE),
    "make pictures": "makes the README's pictures in a browser; somebody looks at them before they are committed",
    "make audit": "asks the network for known vulnerabilities; CI runs it",
    "make help": "prints the targets, which are looked up here",
    "make install": "makes an environment; `make demo` and `make test` depend on it, and CI begins with it",
    "nextbasket warm": "writes into the environment that the tests run in; test_warming.py does it in a folder of its own",
    "make clean": "removes the environment that the tests run in",
    "python": "measures for minutes; its file and its options are looked up here, and the figures' pages are written by hand",
    **dict.fromkeys(("aws", "terraform", "docker"), _CLOUD),
    **dict.fromkeys(("cd", "export", "echo", "git", "pip", "install", "vi", "rm"), _SHELL),
}
