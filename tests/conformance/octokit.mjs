// Reads a pull request back with octokit: node octokit.mjs API-URL TOKEN OWNER REPO NUMBER HEAD
import { createRequire } from "node:module";
const require = createRequire(`${process.env.CHAFFINCH_TOOLS}/`);
const { Octokit } = await import(require.resolve("octokit"));

const [baseUrl, auth, owner, repo, number, head] = process.argv.slice(2);
const octokit = new Octokit({ auth, baseUrl, retry: { enabled: false }, throttle: { enabled: false } });
const at = { owner, repo, per_page: 100 };

const comments = await octokit.paginate(octokit.rest.pulls.listReviewComments, { ...at, pull_number: Number(number) });
const summaries = await octokit.paginate(octokit.rest.issues.listComments, { ...at, issue_number: Number(number) });
const { data: checks } = await octokit.rest.checks.listForRef({ owner, repo, ref: head });
const { data: file } = await octokit.rest.repos.getContent({ owner, repo, path: "app/db.py", ref: head });

console.log(JSON.stringify({
  threads: comments.map((c) => ({ path: c.path, line: c.line, author: c.user.login, body: c.body })),
  summaries: summaries.map((c) => ({ author: c.user.login, body: c.body })),
  checks: checks.check_runs.map((c) => ({ name: c.name, conclusion: c.conclusion, title: c.output.title, annotations: c.output.annotations_count })),
  file: Buffer.from(file.content, "base64").toString(),
}));
