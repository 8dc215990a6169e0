#!/usr/bin/env python3
"""Reads the test cases out of a checkout of Gitleaks, or of a scanner with the same layout.

    python3 cases.py CHECKOUT > cases.jsonl
    cargo run --release -p chaffinch-egress --example redaction_score < cases.jsonl

They stand in Go, in cmd/generate/config/rules/*.go: `tps` must be found, `fps` must not. One line of
JSON a case: text, kind, expect (`found` or `clean`), and secret and path where they are known. Text
that their program makes at random is made at random here too, the same in every run. What cannot be
read is counted on standard error. Nothing of theirs is kept in this repository.
"""

import json
import random
import re
import sys
from pathlib import Path
from re import _parser as sre

TOKEN = re.compile(
    r"""(?P<skip>\s+|//[^\n]*|/\*.*?\*/)|(?P<raw>`[^`]*`)|(?P<str>"(?:\\.|[^"\\\n])*")"""
    r"""|(?P<char>'(?:\\.|[^'\\])+')|(?P<num>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<sign>:=|\.\.\.|.)""",
    re.S,
)
# How a secret of the kind `{i}` is written in files of many forms.
FORMS = [
    '{i}Token="{s}"', '{i}Token = "{s}"', "{i}Token={s}", "{i}Token = {s}", '{\n    "{i}_token": "{s}"\n}',
    '{"config.ini": "{I}_TOKEN={s}\\nBACKUP_ENABLED=true"}', "<{i}Token>\n    {s}\n</{i}Token>",
    "{i}_token: {s}", "{i}_token: '{s}'", '{i}_token: "{s}"', 'string {i}Token = "{s}";',
    'var {i}Token string = "{s}"', '{i}Token := "{s}"', "{i}Token := `{s}`", 'String {i}Token = "{s}";',
    'var {i}Token = "{s}"', '${i}Token .= "{s}"', "{i}Token = '{s}'", 'System.setProperty("{I}_TOKEN", "{s}")',
    '  "{i}Token" => "{s}"', '{i}_TOKEN = "{s}"', '{i}_TOKEN := "{s}"', '{i}_TOKEN ::= "{s}"',
    '{i}_TOKEN :::= "{s}"', '{i}_TOKEN ?= "{s}"',
]
CLASSES = {
    "Numeric": "[0-9]{%s}", "Hex": "[a-f0-9]{%s}", "AlphaNumeric": "[a-z0-9]{%s}",
    "AlphaNumericExtendedShort": "[a-z0-9_-]{%s}", "AlphaNumericExtended": r"[a-z0-9=_\-]{%s}",
    "AlphaNumericExtendedLong": r"[a-z0-9\/=_\+\-]{%s}",
}
WORD = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"
UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


class Unread(Exception):
    """A form that is not understood."""


class Text(str):
    """A text that holds a known secret."""

    secret = None


def generated(tree) -> str:
    out = []
    for op, arg in tree:
        op = str(op)
        if op == "LITERAL":
            out.append(chr(arg))
        elif op == "IN":
            out.append(random.choice(members(arg)))
        elif op in ("MAX_REPEAT", "MIN_REPEAT"):
            low, high, inner = arg
            high = low + 1 if str(high) == "MAXREPEAT" else high
            out += [generated(inner) for _ in range(random.randint(low, high))]
        elif op == "SUBPATTERN":
            out.append(generated(arg[3]))
        elif op == "BRANCH":
            out.append(generated(random.choice(arg[1])))
        elif op == "ANY":
            out.append(random.choice("abcXYZ019"))
        elif op != "AT":
            raise Unread(op)
    return "".join(out)


def members(items) -> list:
    out = []
    for op, arg in items:
        op = str(op)
        if op == "LITERAL":
            out.append(chr(arg))
        elif op == "RANGE":
            out += [chr(c) for c in range(arg[0], arg[1] + 1)]
        elif op == "CATEGORY":
            out += {"CATEGORY_DIGIT": "0123456789", "CATEGORY_WORD": WORD, "CATEGORY_SPACE": " "}[str(arg)]
        else:
            raise Unread(op)
    return out


def new_secret(regex: str) -> str:
    try:
        return generated(sre.parse(regex.replace("(?i)", "").replace(r"\z", "$")))
    except (re.error, KeyError) as error:
        raise Unread("regex") from error


def samples(name: str, secret: str, forms) -> list:
    out = []
    for form in forms:
        text = Text(form.replace("{i}", name).replace("{I}", name.upper()).replace("{s}", secret))
        text.secret = secret
        out.append(text)
    return out


class Reader:
    """Evaluates the few forms of Go that cases are written in."""

    def __init__(self, source: str):
        self.tokens = []
        for match in TOKEN.finditer(source):
            if match.lastgroup != "skip":
                self.tokens.append((match.lastgroup, match.group()))
        self.at, self.names = 0, {}

    def peek(self, ahead=0):
        index = self.at + ahead
        return self.tokens[index] if index < len(self.tokens) else ("end", "")

    def take(self, wanted=None):
        token = self.peek()
        if wanted is not None and token[1] != wanted:
            raise Unread(f"{token[1]} where {wanted} was due")
        self.at += 1
        return token

    def expression(self):
        value = self.operand()
        while self.peek()[1] == "+":
            self.take()
            right = self.operand()
            joined = Text(value + right)
            joined.secret = getattr(value, "secret", None) or getattr(right, "secret", None)
            value = joined
        return value

    def listed(self, close: str, pairs=False):
        out = []
        while self.peek()[1] != close:
            value = self.expression()
            if pairs and self.peek()[1] == ":":
                self.take()
                out.append((value, self.expression()))
            elif self.peek()[1] == "...":
                self.take()
                out += value
            else:
                out.append(value)
            if self.peek()[1] == ",":
                self.take()
        self.take(close)
        return out

    def operand(self):
        kind, text = self.take()
        if kind == "raw":
            return text[1:-1]
        if kind == "str":
            try:
                return json.loads(re.sub(r"\\x([0-9a-fA-F]{2})", r"\\u00\1", text), strict=False)
            except ValueError as error:
                raise Unread("string") from error
        if kind == "num":
            return text
        if text == "(":
            value = self.expression()
            self.take(")")
            return value
        if text == "[":
            self.take("]")
            self.take("string")
            self.take("{")
            return self.listed("}")
        if text == "map":
            self.take("["), self.take("string"), self.take("]"), self.take("string"), self.take("{")
            return self.listed("}", pairs=True)
        if kind != "name":
            raise Unread(text)
        while self.peek()[1] == "." and self.peek(1)[0] == "name":
            self.take()
            text = self.take()[1]
        if self.peek()[1] == "(":
            self.take()
            return self.call(text, self.listed(")"))
        if text in self.names:
            return self.names[text]
        raise Unread(text)

    def call(self, name: str, args: list):
        if name == "append":
            return args[0] + args[1:] if isinstance(args[0], list) else args
        if name == "GenerateSampleSecrets":
            return samples(args[0], args[1], FORMS)
        if name == "GenerateSampleSecret":
            return samples(args[0], args[1], ['{i}_api_token = "{s}"'])[0]
        if name in ("NewSecret", "NewSecretWithEntropy"):
            return new_secret(args[0])
        if name in CLASSES:
            return CLASSES[name] % args[0]
        if name.startswith("Hex8_4_4_4_12"):
            return UUID
        if name == "Sprintf" and args[0].count("%") == args[0].count("%s") == len(args) - 1:
            return args[0] % tuple(args[1:])
        if name == "Repeat":
            return args[0] * int(args[1])
        if name == "ToUpper":
            return args[0].upper()
        if name == "ToLower":
            return args[0].lower()
        if name == "EncodeToString":
            raise Unread(name)
        raise Unread(name)


def functions(source: str):
    for part in re.split(r"^func ", source, flags=re.M)[1:]:
        if match := re.search(r'RuleID:\s+"([^"]+)"', part):
            yield match.group(1), part


def cases(part: str, unread: list):
    """The positive and the negative cases of one rule."""
    reader = Reader(part)
    while reader.at < len(reader.tokens):
        kind, name = reader.peek()
        start = reader.at
        if kind != "name" or reader.peek(1)[1] not in (":=", "="):
            reader.at += 1
            continue
        reader.at += 2
        wanted = name in ("tps", "fps")
        try:
            reader.names[name] = reader.expression()
        except (Unread, TypeError, IndexError, AttributeError) as error:
            if wanted:
                salvaged = salvage(reader, start + 2, unread)
                reader.names[name] = (reader.names.get(name) or []) + salvaged
            else:
                reader.at = start + 2
    return reader.names.get("tps") or [], reader.names.get("fps") or []


def salvage(reader: Reader, at: int, unread: list) -> list:
    """The elements of a list of which some cannot be read, one by one."""
    reader.at, out = at, []
    while reader.peek()[1] not in ("{", "(", ""):
        reader.at += 1
    close = {"{": "}", "(": ")"}.get(reader.peek()[1], "")
    reader.at += 1
    while reader.peek()[1] not in (close, ""):
        start = reader.at
        try:
            value = reader.expression()
            spread = reader.peek()[1] == "..."
            reader.at += spread
            if reader.peek()[1] not in (",", close):
                raise Unread("more")
            out += value if isinstance(value, list) else [value]
        except (Unread, TypeError, IndexError, AttributeError) as error:
            unread.append(str(error))
            reader.at, depth = start, 0
            while reader.peek()[1] and (depth or reader.peek()[1] not in (",", close)):
                depth += {"(": 1, "{": 1, "[": 1, ")": -1, "}": -1, "]": -1}.get(reader.peek()[1], 0)
                reader.at += 1
        if reader.peek()[1] == ",":
            reader.at += 1
    return out


def main() -> None:
    folder = Path(sys.argv[1], "cmd/generate/config/rules")
    unread, rules, written = [], 0, 0
    for file in sorted(folder.glob("*.go")):
        for rule, part in functions(file.read_text()):
            random.seed(rule)
            rules += 1
            for expect, found in zip(("found", "clean"), cases(part, unread)):
                for case in found:
                    path, text = case if isinstance(case, tuple) else (None, case)
                    row = {"kind": rule, "expect": expect, "text": text}
                    if getattr(text, "secret", None) and expect == "found":
                        row["secret"] = text.secret
                    if path:
                        row["path"] = path
                    print(json.dumps(row))
                    written += 1
    print(f"{rules} rules, {written} cases; {len(unread)} could not be read", file=sys.stderr)


if __name__ == "__main__":
    main()
