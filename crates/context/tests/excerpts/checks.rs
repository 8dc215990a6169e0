//! What counts as a check of a value, in each language.

use chaffinch_core::Rung;
use insta::assert_snapshot;

use crate::{marked, sends};

#[test]
fn a_check_of_what_is_made_of_the_value_counts_as_one_of_the_value() {
    sends(&[(
        "src/Proxy.kt",
        "package shop

private val HOSTS = setOf(\"a.example\", \"b.example\") // needed

private fun hostOf(target: String): String? = URI(target).host // needed

fun Routing.proxy() {
    get(\"/fetch\") {
        val target = call.parameters[\"url\"] ?: return@get // needed
        val host = hostOf(target) // needed
        if (host !in HOSTS) { // needed
            return@get // needed
        }
        call.respondText(client.get(target).bodyAsText()) // <-- here
    }
}
",
    )]);
    sends(&[(
        "app/fetch.py",
        "HOSTS = {'a.example'}  # needed

def fetch():
    target = request.args['url']  # needed
    parts = urlparse(target)  # needed
    host = parts.hostname  # needed
    if host not in HOSTS:  # needed
        abort(403)  # needed
    size = len(target)
    return requests.get(target).text  # <-- here
",
    )]);
    sends(&[(
        "routes/fetch.js",
        "const HOSTS = new Set(['a.example']) // needed

router.get('/fetch', async (req, res) => {
  const target = req.query.url // needed
  const { hostname } = new URL(target) // needed
  if (!HOSTS.has(hostname)) { // needed
    return res.sendStatus(403) // needed
  }
  const reply = await fetch(target) // <-- here
})
",
    )]);
    sends(&[(
        "fetch.go",
        "package main

var hosts = map[string]bool{\"a.example\": true} // needed

func fetch(w http.ResponseWriter, r *http.Request) {
	target := r.URL.Query().Get(\"url\") // needed
	parsed, err := url.Parse(target) // needed
	if err != nil || !hosts[parsed.Host] { // needed
		http.Error(w, \"no\", 403) // needed
		return // needed
	}
	reply, err := http.Get(target) // <-- here
}
",
    )]);
    sends(&[(
        "src/Fetch.java",
        "class Fetch {
  private static final Set<String> HOSTS = Set.of(\"a.example\"); // needed

  @GetMapping(\"/fetch\")
  String fetch(@RequestParam String target) { // needed
    String host = URI.create(target).getHost(); // needed
    if (!HOSTS.contains(host)) { // needed
      throw new Denied(); // needed
    }
    return client.get(target); // <-- here
  }
}
",
    )]);
    sends(&[(
        "app/controllers/proxy_controller.rb",
        "class ProxyController < ApplicationController
  HOSTS = %w[a.example] # needed

  def show
    target = params[:url] # needed
    host = URI(target).host # needed
    return head(:forbidden) unless HOSTS.include?(host) # needed
    render plain: Net::HTTP.get(URI(target)) # <-- here
  end
end
",
    )]);
    sends(&[(
        "src/fetch.php",
        "<?php
const HOSTS = ['a.example']; // needed
function fetch() {
    $target = $_GET['url']; // needed
    $host = parse_url($target, PHP_URL_HOST) or die('no host'); // needed
    if (!in_array($host, HOSTS)) { // needed
        return null; // needed
    }
    return file_get_contents($target); // <-- here
}
",
    )]);
    sends(&[(
        "src/Fetch.cs",
        "class Fetch {
  static readonly string[] Hosts = { \"a.example\" }; // needed

  public string Get(string target) { // needed
    var host = new Uri(target).Host; // needed
    if (!Hosts.Contains(host)) // needed
      throw new Denied(); // needed
    return client.GetString(target); // <-- here
  }
}
",
    )]);
    sends(&[
        (
            "src/fetch.ts",
            "import { hostOf, HOSTS } from './hosts'

export async function proxy(req: Request, res: Response) {
  const target = String(req.query.url) // needed
  const host = hostOf(target) // needed
  if (!HOSTS.includes(host)) return res.sendStatus(403) // needed
  return fetch(target) // <-- here
}
",
        ),
        (
            "src/hosts.ts",
            "export const HOSTS = ['a.example'] // needed

export function hostOf(target: string) { // needed
  return new URL(target).hostname // needed
}
",
        ),
    ]);
    sends(&[(
        "src/run.c",
        "static int run(const char *path) { // needed
    size_t length = strlen(path); // needed
    char name[64];
    if (length >= sizeof(name)) // needed
        return -1; // needed
    strcpy(name, path); // <-- here
    return 0;
}
",
    )]);
}

#[test]
fn an_assignment_that_may_leave_is_a_check() {
    let source = "
fun proxy(target: String) {
    val started = now()
    val host = hostOf(target) ?: return
    val port = portOf(target)
    if (port !in PORTS) return
    val size = target.length
    println(size - started)
    client.get(target) // <-- here
}
";
    assert_snapshot!(marked("src/Proxy.kt", source, Rung::Slice), @"
    src/Proxy.kt
       2 signature | fun proxy(target: String) {
       4 guard |     val host = hostOf(target) ?: return
       5 slice |     val port = portOf(target)
       6 guard |     if (port !in PORTS) return
       9 finding |     client.get(target) // <-- here
    rung Slice
    ");
}
