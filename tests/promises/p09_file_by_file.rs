//! Files are asked for one by one.

use chaffinch_core::ForgeKind;
use chaffinch_sandbox::needs_review;

use crate::harness::{Bot, Step, on_both_forges, sarif};

on_both_forges! {
    p09_access_is_file_by_file,
    p09_names_of_files_are_read_only_where_the_policy_says_so,
}

async fn p09_access_is_file_by_file(on: ForgeKind) {
    let bot = Bot::start(on).await;
    bot.forge.repo("acme/shop").file("app/never.py", "x = 1\n");
    let change = bot.sqli_change(7);
    change.report(sarif("CodeQL", &[("rule", "app/db.py", 5)]));
    bot.model.answers([needs_review("Not enough is shown.")]);
    bot.deliver("opened", 7).await;
    let files = bot.forge.requests(Step::ReadFile);
    let first = match on {
        ForgeKind::GitHub => "/contents/app/db.py",
        ForgeKind::GitLab => "/repository/files/app%2Fdb.py/raw",
    };
    assert!(files[0].path.ends_with(first), "{files:?}");
    assert!(files.len() <= 6, "a finding may ask for few: {files:?}");
    let mut paths: Vec<_> = files.iter().map(|request| &request.path).collect();
    paths.sort();
    paths.dedup();
    assert_eq!(paths.len(), files.len(), "each is asked for once");
    for file in &files {
        assert!(file.query.contains(&("ref".to_owned(), change.head())), "pinned to the head");
    }
    let sent = bot.model.requests()[0].body.to_string();
    assert!(!sent.contains("never.py"), "what was looked at for nothing is not sent");
    change.threads();
}

async fn p09_names_of_files_are_read_only_where_the_policy_says_so(on: ForgeKind) {
    for listing in ["off", "names"] {
        let bot = Bot::with(on).set("POLICY__LISTING", listing).start().await;
        let allowed = listing == "names";
        // Whatever is listed without this fails the run.
        if allowed {
            bot.forge.allow_listing();
        }
        let repo = bot.forge.repo("acme/shop");
        repo.base_file("README", "x\n");
        repo.file("shop/show.go", "package shop\n\nfunc Show(w http.ResponseWriter, r *http.Request) {\n\trender(w, scrub(r.FormValue(\"q\")))\n}\n");
        repo.base_file(
            "shop/zebra.go",
            "package shop\n\nfunc scrub(s string) string {\n\treturn strings.ToUpper(s)\n}\n",
        );
        // Looser than the default, so it takes its notice.
        bot.consent().await;
        bot.pass_days(30).await;
        let change = repo.change(7);
        change.report(sarif("CodeQL", &[("go.xss", "shop/show.go", 4)]));
        bot.model.answers([needs_review("Not enough is shown.")]);
        bot.deliver("opened", 7).await;
        let sent = bot.model.requests()[0].body.to_string();
        assert_eq!(sent.contains("ToUpper"), allowed, "{listing}: {sent}");
        let body = change.threads()[0].comments[0].body.clone();
        assert_eq!(body.contains("chosen with the names of files of 1 folder"), allowed, "{body}");
        let (_, page) = bot.get("/policy").await;
        assert_eq!(page.contains("Names of files are not listed."), !allowed, "{page}");
    }
}
