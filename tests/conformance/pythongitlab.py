"""Reads a merge request back with python-gitlab: pythongitlab.py URL TOKEN PROJECT IID HEAD"""

import json
import sys

import gitlab

url, token, path, iid, head = sys.argv[1:]
project = gitlab.Gitlab(url, private_token=token, retry_transient_errors=False).projects.get(path)
change = project.mergerequests.get(int(iid))
notes = [note for d in change.discussions.list(get_all=True) for note in d.attributes["notes"]]
inline = [note for note in notes if note.get("position")]
plain = [note for note in change.notes.list(get_all=True) if note.type != "DiffNote" and not note.system]
statuses = project.commits.get(head).statuses.list(get_all=True)
print(json.dumps({
    "threads": [{"path": n["position"]["new_path"], "line": n["position"]["new_line"], "author": n["author"]["username"], "body": n["body"]} for n in inline],
    "summaries": [{"author": n.author["username"], "body": n.body} for n in plain],
    "checks": [{"name": s.name, "state": s.status, "title": s.description} for s in statuses],
    "file": project.files.get(file_path="app/db.py", ref=head).decode().decode(),
}))
