// Reads a merge request back with gitbeaker: node gitbeaker.mjs URL TOKEN PROJECT IID HEAD
import { createRequire } from "node:module";
const require = createRequire(`${process.env.CHAFFINCH_TOOLS}/`);
const { Gitlab } = await import(require.resolve("@gitbeaker/rest"));

const [host, token, project, number, head] = process.argv.slice(2);
const iid = Number(number);
const gitlab = new Gitlab({ host, token });

const discussions = await gitlab.MergeRequestDiscussions.all(project, iid);
const inline = discussions.flatMap((d) => d.notes).filter((n) => n.position);
const notes = await gitlab.MergeRequestNotes.all(project, iid);
const plain = notes.filter((n) => n.type !== "DiffNote" && !n.system);
const statuses = await gitlab.Commits.allStatuses(project, head);
const file = await gitlab.RepositoryFiles.show(project, "app/db.py", head);

console.log(JSON.stringify({
  threads: inline.map((n) => ({ path: n.position.new_path, line: n.position.new_line, author: n.author.username, body: n.body })),
  summaries: plain.map((n) => ({ author: n.author.username, body: n.body })),
  checks: statuses.map((s) => ({ name: s.name, state: s.status, title: s.description })),
  file: Buffer.from(file.content, "base64").toString(),
}));
