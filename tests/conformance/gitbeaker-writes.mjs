// Answers a discussion and begins another with gitbeaker, which sends forms:
// node gitbeaker-writes.mjs URL TOKEN PROJECT IID LINE
import { createRequire } from "node:module";
const require = createRequire(`${process.env.CHAFFINCH_TOOLS}/`);
const { Gitlab } = await import(require.resolve("@gitbeaker/rest"));

const [host, token, project, number, line] = process.argv.slice(2);
const iid = Number(number);
const gitlab = new Gitlab({ host, token });

const { diff_refs: refs } = await gitlab.MergeRequests.show(project, iid);
const first = (await gitlab.MergeRequestDiscussions.all(project, iid)).find((d) => d.notes[0].position);
await gitlab.MergeRequestDiscussions.addNote(project, iid, first.id, "I do not think so.");
const position = {
  positionType: "text", baseSha: refs.base_sha, startSha: refs.start_sha, headSha: refs.head_sha,
  oldPath: "app/db.py", newPath: "app/db.py", newLine: line,
};
const begun = await gitlab.MergeRequestDiscussions.create(project, iid, "What is this for?", { position });

console.log(JSON.stringify({ note: begun.notes[0].id }));
