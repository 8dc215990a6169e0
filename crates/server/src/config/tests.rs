use super::*;

fn load(file: &str, environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    layers::merge(Some(file), environment)
}

#[test]
fn the_defaults_are_a_configuration_that_lacks_only_what_is_yours() {
    let problems = Config::load(None, []).unwrap().validate().unwrap_err().to_string();
    insta::assert_snapshot!(problems, @r#"
    policy.repositories is empty: list the repositories to work on, for example ["acme/shop"]
    model.name is missing: name the model to ask, as its endpoint calls it, here or in CHAFFINCH__MODEL__NAME
    model.key is missing: give model.key_file, or set CHAFFINCH__MODEL__KEY
    store.key is missing: give store.key_file, or set CHAFFINCH__STORE__KEY
    github.app_id is missing: it stands on the App's settings page (or give a [[gitlab.project]])
    github.private_key is missing: give github.private_key_file, or set CHAFFINCH__GITHUB__PRIVATE_KEY
    github.webhook_secret is missing: give github.webhook_secret_file, or set CHAFFINCH__GITHUB__WEBHOOK_SECRET
    "#);
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_the_defaults() {
    let config = load(
        "[server]\nworkers = 3\ngrace_seconds = 7\n[model]\nname = \"a\"",
        &[("CHAFFINCH__SERVER__WORKERS", "5"), ("CHAFFINCH__MODEL__NAME", "7"), ("PATH", "/bin")],
    )
    .unwrap();
    assert_eq!((config.server.workers, config.server.grace_seconds), (5, 7));
    assert_eq!(config.model.name, "7", "a text stays a text, whatever it looks like");
    assert_eq!(config.triage.max_findings, 50);
}

#[test]
fn an_unknown_key_is_an_error_that_names_the_nearest_known_one() {
    let error = load("[server]\nworker = 3", &[]).unwrap_err().to_string();
    insta::assert_snapshot!(error, @"unknown setting `server.worker`; the nearest known one is `workers`");
    let error = load("", &[("CHAFFINCH__POLICY__CEILINGS", "file")]).unwrap_err().to_string();
    insta::assert_snapshot!(error, @"unknown setting `policy.ceilings`; the nearest known one is `ceiling`");
    let error = load("[sever]\n", &[]).unwrap_err().to_string();
    insta::assert_snapshot!(error, @"unknown setting `sever`; the nearest known one is `server`");
}

#[test]
fn a_value_of_the_wrong_type_is_an_error_that_names_its_key() {
    let error = load("[policy]\nceiling = \"everything\"", &[]).unwrap_err().to_string();
    insta::assert_snapshot!(error, @"policy.ceiling: wants one of `finding`, `slice`, `function`, `related`, `file`");
    let error = load("", &[("CHAFFINCH__SERVER__WORKERS", "many")]).unwrap_err().to_string();
    insta::assert_snapshot!(error, @"CHAFFINCH__SERVER__WORKERS: wants integer, as in a TOML file");
}

#[test]
fn what_is_wrong_with_a_value_is_said_without_the_value() {
    let project = "[{ path = \"a/b\", read_token = \"glpat-SECRET\" }";
    for (file, environment) in [
        ("", Some(("CHAFFINCH__GITLAB__PROJECT", project))),
        ("[gitlab]\nproject = \"glpat-SECRET\"", None),
        ("[gitlab]\njobs = 3\n[[gitlab.project]]\nread_token = \"glpat-SECRET", None),
        ("[model]\nkey = { glpat-SECRET = 1 }", None),
        ("[policy]\nceiling = \"glpat-SECRET\"", None),
        ("[policy]\ncontent_requests = \"glpat-SECRET, expected x\"", None),
    ] {
        let error = load(file, environment.as_slice()).unwrap_err().to_string();
        assert!(!error.contains("SECRET"), "{file}: {error}");
    }
    let error = load("[policy]\n\nceiling = \"x", &[]).unwrap_err().to_string();
    assert!(error.starts_with("the configuration file, line 3: "), "{error}");
}

#[test]
fn a_secret_is_in_one_place_only() {
    let config =
        load("[github]\nwebhook_secret = \"a\"\nwebhook_secret_file = \"b\"", &[]).unwrap();
    let problems = config.validate().unwrap_err().to_string();
    assert!(
        problems
            .contains("github.webhook_secret: give it, or github.webhook_secret_file, not both")
    );
}

#[test]
fn debug_never_shows_a_secret() {
    let project = r#"[{ path = "acme/shop", read_token = "sentinel", write_token = "sentinel",
        webhook_secret = "sentinel", webhook_secret_previous = "sentinel" }]"#;
    let upload = r#"[{ repository = "acme/shop", token = "sentinel" }]"#;
    let environment = [
        ("CHAFFINCH__MODEL__KEY", "sentinel"),
        ("CHAFFINCH__STORE__URL", "sentinel"),
        ("CHAFFINCH__STORE__KEY", "sentinel"),
        ("CHAFFINCH__GITHUB__PRIVATE_KEY", "sentinel"),
        ("CHAFFINCH__GITHUB__WEBHOOK_SECRET", "sentinel"),
        ("CHAFFINCH__GITLAB__PROJECT", project),
        ("CHAFFINCH__UPLOAD", upload),
    ];
    let shown = format!("{:?}", load("", &environment).unwrap());
    assert_eq!(shown.matches("acme/shop").count(), 2, "{shown}");
    assert!(!shown.contains("sentinel"), "{shown}");
}

#[test]
fn no_report_is_taken_that_would_not_be_read() {
    let most = chaffinch_reports::MAX_BYTES as usize;
    assert_eq!(load("", &[]).unwrap().server.max_report_bytes, most);
    let above = load("[server]\nmax_report_bytes = 100000001", &[]).unwrap();
    let problems = above.validate().unwrap_err().to_string();
    assert!(
        problems.contains("server.max_report_bytes is 100000001: want 1024 to 100000000"),
        "{problems}"
    );
}

#[test]
fn a_field_that_is_ours_or_no_json_is_refused_in_every_request() {
    let extra = |fields: &str| {
        let config = load(&format!("[model.extra]\n{fields}"), &[]).unwrap();
        let problems = config.validate_for_triage().unwrap_err().problems;
        problems.into_iter().filter(|p| p.starts_with("model.extra")).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(
        extra("service_tier = \"flex\"\nprovider = { only = [\"a\"], zdr = true, p = 0.5 }"),
        ""
    );
    assert_eq!(
        extra("store = true"),
        "model.extra.store: Chaffinch sets this field itself, or never sends it"
    );
    assert_eq!(
        extra("many = [{ most = inf }]"),
        "model.extra: want no infinite numbers, JSON has none"
    );
}

#[test]
fn a_store_is_one_that_we_know() {
    for (url, known) in
        [("sqlite:a.db", true), ("rediss://h:1/0", true), ("postgres://u:p@h", false)]
    {
        let config = load("", &[("CHAFFINCH__STORE__URL", url)]).unwrap();
        let problems = config.validate().unwrap_err().to_string();
        assert_eq!(!problems.contains("store.url: want one that starts with sqlite:"), known);
        assert!(!problems.contains("u:p"), "an address may hold a password");
    }
}

#[test]
fn a_list_of_tables_can_be_given_in_the_environment() {
    let project =
        r#"[{ path = "acme/shop", read_token = "r", write_token = "w", webhook_secret = "s" }]"#;
    let config = load("", &[("CHAFFINCH__GITLAB__PROJECT", project)]).unwrap();
    assert_eq!(config.gitlab.project[0].path, "acme/shop");
    // A secret is text, whatever it begins with.
    for key in ["[1]", "[]", "[{"] {
        load("", &[("CHAFFINCH__MODEL__KEY", key)]).unwrap();
    }
}

#[test]
fn the_compose_file_mounts_the_folder_of_the_secrets_that_its_settings_name() {
    let text = include_str!("../../../../deploy/compose.yaml");
    let settings: Vec<_> = text
        .lines()
        .filter_map(|line| line.trim().split_once(": "))
        .filter(|(key, _)| key.starts_with("CHAFFINCH__"))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    let files: Vec<_> = settings.iter().filter(|(key, _)| key.ends_with("_FILE")).collect();
    assert!(files.len() >= 4, "{settings:?}");
    for (key, file) in files {
        assert!(file.starts_with("/run/secrets/"), "{key} is {file}");
    }
    Config::load(None, settings).unwrap();
    // A file that is mounted by itself stays the old one when it is replaced, and `secrets:` mounts so.
    assert_eq!(text.matches("- ./secrets:/run/secrets:ro\n").count(), 1);
    assert_eq!(text.matches("- ./secrets:/run/secrets\n").count(), 1, "one service alone writes");
    assert!(!text.contains("secrets: ") && !text.contains("\nsecrets:"), "{text}");
    // Who reads the files, here and on the pages.
    assert!(text.contains("user: \"${CHAFFINCH_USER:-65532:65532}\""));
    for page in [
        include_str!("../../../../app-manifest/gitlab.md"),
        include_str!("../../../../docs/operations.md"),
    ] {
        assert!(page.contains("65532"), "{page}");
    }
}
