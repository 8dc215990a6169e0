"""Reads a pull request back with PyGithub: pygithub.py API-URL TOKEN OWNER REPO NUMBER HEAD"""

import json
import sys

from github import Auth, Github

url, token, owner, name, number, head = sys.argv[1:]
repo = Github(base_url=url, auth=Auth.Token(token), retry=None).get_repo(f"{owner}/{name}")
pull = repo.get_pull(int(number))
checks = repo.get_commit(head).get_check_runs()
print(json.dumps({
    "threads": [{"path": c.path, "line": c.raw_data["line"], "author": c.user.login, "body": c.body} for c in pull.get_review_comments()],
    "summaries": [{"author": c.user.login, "body": c.body} for c in pull.get_issue_comments()],
    "checks": [{"name": c.name, "conclusion": c.conclusion, "title": c.output.title, "annotations": c.output.annotations_count} for c in checks],
    "file": repo.get_contents("app/db.py", ref=head).decoded_content.decode(),
}))
