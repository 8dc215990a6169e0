#!/usr/bin/env python3
"""Draw recall against budget, on both labelled sets, as docs/context.svg.

usage: context_curve.py --sources DIR [--binary target/release/chaffinch] [--out docs/context.svg]

--sources  the developer set's repositories, one folder each (OWNER+NAME), as laid out by
           findings/tools/materialize.py of the reference data

The reference data is looked for at $CHAFFINCH_TESTDATA, else ../shared. Its scorer wants
`pip install bpe-openai`. Prints the tables of docs/context.md: what it draws, and the default budget's rows by language
and by what a finding needs.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

BUDGETS = [100, 150, 200, 300, 450, 600, 900, 1200]
DEFAULT = 900
HERE = pathlib.Path(__file__).resolve().parent.parent
WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 56, 150, 24, 48


def score(options, data, name, truth, sources, budget, by="needs"):
    """The scorer's rows over one set at one budget: {group: (n, recall, complete, mean, median, p90, requests)}."""
    with tempfile.NamedTemporaryFile("w+", suffix=".jsonl") as sent:
        excerpt = [options.binary, "excerpt", "--root", sources, "--truth", truth, "--jsonl"]
        subprocess.run([*excerpt, "--budget", str(budget)], stdout=sent, check=True)
        scorer = data / "findings/tools/score_context.py"
        arguments = ["--sources", sources, "--truth", truth, "--sent", sent.name, "--by", by]
        done = subprocess.run(
            [sys.executable, scorer, *arguments], capture_output=True, text=True
        )
    if done.returncode != 0:
        sys.exit(f"the scorer failed on {name}: {done.stderr.strip() or done.stdout.strip()}")
    rows = (line.rsplit(None, 7) for line in done.stdout.splitlines()[1:])
    return {
        group: (int(n), float(recall), float(complete), int(mean), int(median), int(p90), float(fetched))
        for group, n, recall, complete, mean, median, p90, fetched in rows
    }


def table(head, rows):
    """A table in Markdown."""
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])


def path(points):
    return "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def draw(rows):
    """The picture: two sets, recall as a line and complete as a dashed one."""
    across = lambda budget: LEFT + (WIDTH - LEFT - RIGHT) * budget / BUDGETS[-1]
    up = lambda share: HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (share - 0.2) / 0.8
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="system-ui, sans-serif" font-size="12" fill="#333">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
    ]
    for tenth in range(2, 11, 2):
        y = up(tenth / 10)
        out.append(f'<path d="M{LEFT} {y:.1f} H{WIDTH - RIGHT}" stroke="#ddd"/>')
        out.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{tenth / 10:.1f}</text>')
    for budget in [150, 300, 600, 900, 1200]:
        x = across(budget)
        out.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{budget}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    out.append(
        f'<text x="{middle}" y="{HEIGHT - 10}" text-anchor="middle">budget, tokens of source (o200k_base)</text>'
    )
    for (name, colour), measured in rows.items():
        for index, (word, dash) in enumerate([("recall", ""), ("complete", ' stroke-dasharray="5 4"')]):
            points = [(across(b), up(values[index])) for b, values in measured]
            out.append(
                f'<path d="{path(points)}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>'
            )
            x, y = points[-1]
            out.append(f'<text x="{x + 8:.1f}" y="{y + 4:.1f}" fill="{colour}">{name}: {word}</text>')
    out.append("</svg>\n")
    return "\n".join(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sources", required=True)
    parser.add_argument("--binary", default=str(HERE / "target/release/chaffinch"))
    parser.add_argument("--out", default=str(HERE / "docs/context.svg"))
    options = parser.parse_args()
    data = pathlib.Path(os.environ.get("CHAFFINCH_TESTDATA") or HERE.parent / "shared")
    findings = data / "findings"
    if not findings.is_dir():
        sys.exit(f"no reference data at {findings}; set CHAFFINCH_TESTDATA")
    sets = {
        ("repositories", "#0b62c4"): (findings / "context_truth.jsonl", options.sources),
        ("corpus", "#b3400a"): (findings / "corpus/truth.jsonl", findings / "corpus"),
    }
    score_set = lambda key, budget, by="needs": score(
        options, data, key[0], *map(str, sets[key]), budget, by
    )
    rows = {}
    for key in sets:
        measured = ((budget, score_set(key, budget)["all"]) for budget in BUDGETS)
        rows[key] = [(b, (recall, complete, mean)) for b, (_, recall, complete, mean, *_) in measured]
    figures = lambda values: [f"{values[0]:.3f}", f"{values[1]:.3f}", str(values[2])]
    words = ["recall", "complete", "tokens"]
    head = ["budget", *(f"{name}: {word}" for name, _ in sets for word in words)]
    beside = zip(*rows.values())
    print(table(head, [[f"{sets[0][0]:,}", *(f for s in sets for f in figures(s[1]))] for sets in beside]))
    head = ["findings", "", "recall", "complete", "tokens", "median", "p90", "requests"]
    for key in sets:
        groups = {**score_set(key, DEFAULT, "language"), **score_set(key, DEFAULT)}
        body = (
            [group, str(n), f"{recall:.3f}", f"{complete:.3f}", *map(str, rest[:-1]), f"{rest[-1]:.1f}"]
            for group, (n, recall, complete, *rest) in groups.items()
        )
        print(f"\n{key[0]}, budget {DEFAULT}\n\n{table(head, body)}")
    pathlib.Path(options.out).write_text(draw(rows))
    print(f"\ndrawn: {options.out}")


if __name__ == "__main__":
    main()
