//! How well redaction does, on a labelled set of our own: made-up secrets in their real formats,
//! and what looks like them. Secrets are put together at run time, so that none stands in this file.

use std::collections::BTreeSet;

use chaffinch_egress::{Redactor, Segment};

use crate::support::{ALNUM, BASE64, HEX, LOWER, random};

const UPPER32: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const WORD: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
const DIGITS: &str = "0123456789";

struct Secret {
    kind: &'static str,
    /// The line, with `{}` where the secret stands.
    line: &'static str,
    value: String,
}

fn secrets() -> Vec<Secret> {
    let mut seed = 40;
    let mut next = |alphabet: &str, length: usize| {
        seed += 1;
        random(alphabet, length, seed)
    };
    let mut all: Vec<Secret> = Vec::new();
    let mut add = |kind, line, value: String| all.push(Secret { kind, line, value });

    for line in ["key = '{}'", "aws_access_key_id={}", "connect({}, region)", "# old: {}"] {
        add("aws-access-key", line, format!("{}{}", "AKIA", next(UPPER32, 16)));
    }
    for line in ["aws_secret_access_key = {}", r#""AWS_SECRET_KEY": "{}","#, "AWS_SECRET='{}'"] {
        add("aws-secret-key", line, next(BASE64, 40));
    }
    for line in ["token: {}", "git clone https://x-access-token:{}@github.com/a/b", "f({})"] {
        add("github-pat", line, format!("{}{}", "ghp_", next(ALNUM, 36)));
    }
    add("github-fine-grained", "T = \"{}\"", format!("{}{}", "github_pat_", next(ALNUM, 82)));
    add("github-app", "{}", format!("{}{}", "ghs_", next(ALNUM, 36)));
    add("github-app-long", "tok={}", format!("{}{}.{}", "ghs_", next(ALNUM, 200), next(WORD, 300)));
    add("gitlab-pat", "PRIVATE-TOKEN: {}", format!("{}{}", "glpat-", next(ALNUM, 20)));
    add("gitlab-runner", "--token {}", format!("{}{}", "glrt-", next(ALNUM, 20)));
    for line in ["SLACK = '{}'", "post(channel, token={})"] {
        let value =
            format!("{}{}-{}-{}", "xoxb-", next(DIGITS, 12), next(DIGITS, 12), next(ALNUM, 24));
        add("slack-bot", line, value);
    }
    let hook = format!(
        "https://hooks.slack.com/services/T{}/B{}/{}",
        next(UPPER32, 9),
        next(UPPER32, 9),
        next(ALNUM, 24)
    );
    add("slack-webhook", "url = '{}'", hook);
    for (kind, prefix) in [("stripe-secret", "sk_live_"), ("stripe-restricted", "rk_live_")] {
        add(kind, "stripe.api_key = \"{}\"", format!("{prefix}{}", next(ALNUM, 24)));
    }
    add("stripe-webhook", "secret={}", format!("{}{}", "whsec_", next(ALNUM, 32)));
    add("google-api-key", "?key={}&x=1", format!("{}{}", "AIza", next(WORD, 35)));
    add("google-oauth-secret", "'{}'", format!("{}{}", "GOCSPX-", next(WORD, 28)));
    add("google-oauth-token", "Bearer {}", format!("{}{}", "ya29.", next(WORD, 60)));
    let middle = "T3Blbk".to_owned() + "FJ";
    add("openai-old", "api_key='{}'", format!("sk-{}{middle}{}", next(ALNUM, 20), next(ALNUM, 20)));
    add("openai-project", "'{}'", format!("sk-proj-{}{middle}{}", next(WORD, 74), next(WORD, 74)));
    add("anthropic", "\"{}\"", format!("sk-ant-{}-{}AA", "api03", next(WORD, 93)));
    add(
        "huggingface",
        "HF={}",
        format!("{}{}", "hf_", next("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", 34)),
    );
    add("groq", "'{}'", format!("{}{}", "gsk_", next(ALNUM, 52)));
    add("npm", "//registry.example/:_authToken={}", format!("{}{}", "npm_", next(ALNUM, 36)));
    add("pypi", "password = {}", format!("{}{}{}", "pypi-", "AgEIcHlwaS5vcmc", next(WORD, 70)));
    add("crates-io", "token = \"{}\"", format!("{}{}", "cio", next(ALNUM, 32)));
    add("docker-hub", "docker login -p {}", format!("{}{}", "dckr_pat_", next(WORD, 27)));
    add("sendgrid", "SG='{}'", format!("{}.{}.{}", "SG", next(WORD, 22), next(WORD, 43)));
    add("mailgun", "mailgun_key = '{}'", format!("{}{}", "key-", next(HEX, 32)));
    add("mailchimp", "mailchimp_api_key='{}'", format!("{}-us12", next(HEX, 32)));
    add("twilio", "'{}'", format!("{}{}", "SK", next(HEX, 32)));
    let bot = format!("{}:{}{}", next("123456789", 10), "AA", next(WORD, 33));
    add("telegram", "https://api.telegram.org/bot{}/sendMessage", bot);
    add(
        "discord-webhook",
        "https://discord.com/api/webhooks/1122334455667788990/{}",
        next(WORD, 68),
    );
    add("shopify", "'{}'", format!("{}{}", "shpat_", next(HEX, 32)));
    add("digitalocean", "DO={}", format!("{}{}", "dop_v1_", next(HEX, 64)));
    add("databricks", "'{}'", format!("{}{}", "dapi", next(HEX, 32)));
    add("vault", "VAULT_TOKEN={}", format!("{}{}", "hvs.", next(WORD, 95)));
    add("tailscale", "'{}'", format!("tskey-{}-{}-{}", "auth", next(ALNUM, 16), next(ALNUM, 32)));
    add("supabase", "'{}'", format!("{}{}", "sbp_", next(HEX, 40)));
    add("figma", "'{}'", format!("{}{}", "figd_", next(WORD, 40)));
    add("linear", "'{}'", format!("{}{}", "lin_api_", next(ALNUM, 40)));
    add("postman", "'{}'", format!("{}{}-{}", "PMAK-", next(HEX, 24), next(HEX, 34)));
    add("pulumi", "'{}'", format!("{}{}", "pul-", next(HEX, 40)));
    add("doppler", "'{}'", format!("{}{}", "dp.pt.", next(ALNUM, 43)));
    add(
        "age",
        "{}",
        format!("AGE-SECRET-{}{}", "KEY-1", next("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58)),
    );
    add(
        "azure-storage",
        "AccountName=a;AccountKey={};EndpointSuffix=x",
        format!("{}==", next(BASE64, 86)),
    );
    add(
        "azure-sas",
        "https://a.blob.example/c?sv=2024&sig={}&se=2025",
        format!("{}%3D", next(ALNUM, 43)),
    );
    add(
        "azure-client-secret",
        "client_secret='{}'",
        format!("{}8Q~{}", next(ALNUM, 3), next(ALNUM, 34)),
    );
    for line in ["Authorization: Bearer {}", "const t = `{}`;", "f({}, 1)", "?jwt={}"] {
        let part =
            |n, next: &mut dyn FnMut(&str, usize) -> String| format!("{}{}", "eyJ", next(WORD, n));
        let value = format!("{}.{}.{}", part(33, &mut next), part(60, &mut next), next(WORD, 43));
        add("jwt", line, value);
    }
    for line in [
        "postgres://app:{}@db.internal:5432/shop",
        "mongodb+srv://root:{}@c0.example.net/x",
        "redis://:{}@cache:6379/0",
        "url = 'https://ci:{}@git.corp.example/a.git'",
    ] {
        add("uri-password", line, next(LOWER, 11));
    }
    for line in [
        "password = \"{}\"",
        "DB_PASSWORD: '{}'",
        "'password' => '{}',",
        "if (pwd === \"{}\") {",
        "user.setPassword(\"{}\");",
        "os.getenv('DB_PASSWORD', '{}')",
        "private static final String ADMIN_PASSWD = \"{}\";",
        "passphrase := `{}`",
    ] {
        add("password-literal", line, format!("{}7!{}", next(LOWER, 5), next(LOWER, 3)));
    }
    add(
        "connection-string",
        "Server=s;Database=d;User Id=sa;Password={};",
        format!("Zx9{}", next(LOWER, 9)),
    );
    add("dsn", "dsn = \"host=db user=app password={} dbname=shop\"", next(LOWER, 14));
    for line in ["SECRET_KEY = 'django-{}'", "secret_key_base: \"{}\""] {
        add(
            "framework-key",
            line,
            format!("a1{}", next("abcdefghijklmnopqrstuvwxyz0123456789!@#$%^&*(-_=+)", 48)),
        );
    }
    for line in ["ENC_KEY = bytes.fromhex(\"{}\")", "const IV = '{}'", "api_secret: {}"] {
        add("crypto-literal", line, next(HEX, 32));
    }
    add("basic-auth", "Authorization: Basic {}", format!("{}==", next(BASE64, 26)));
    add("docker-config", r#""auth": "{}""#, format!("{}=", next(BASE64, 31)));
    add("password-hash", "admin:{}:0", format!("$2b$12${}", next(ALNUM, 53)));
    add("sentry-dsn", "https://{}@o1.ingest.sentry.example/42", next(HEX, 32));
    add("generic", "my_service_token = \"{}\"", next(ALNUM, 32));
    add("generic", "x-api-key: {}", next(WORD, 40));
    all
}

/// Lines that hold nothing to hide.
const HARMLESS: &[&str] = &[
    "password = get_password(user)",
    "password = request.form['password']",
    "password: process.env.DB_PASSWORD,",
    "token = request.headers.get('Authorization')",
    "API_KEY = os.environ[\"API_KEY\"]",
    "secret = config.secrets.primary",
    "const apiKey = await vault.read('kv/service/api-key');",
    "<input type=\"password\" name=\"password\" id=\"pw1\">",
    "errors.password = \"Password must be at least 8 characters!\"",
    "const passwordRegex = /^(?=.*\\d)[a-z\\d]{8,}$/;",
    "hash = hashlib.sha256(password.encode()).hexdigest()",
    "crypto.createHash('sha256').update(secret).digest('hex')",
    "return bcrypt.compare(password, user.passwordHash)",
    "def reset_password(self, token: str, password: str) -> None:",
    "access_token = response.json()[\"access_token\"]",
    "postgres://localhost:5432/shop",
    "redis://{user}:{password}@{host}:6379",
    "mongodb://${USER}:${PASS}@mongo/db",
    "url = f\"https://{user}:{token}@github.com/{repo}.git\"",
    "jdbc:mysql://%s:%s@%s/%s",
    "https://example.com:8080/path?key=value&token=",
    "http://127.0.0.1:3000/auth/callback",
    "primary_key = models.BigAutoField(primary_key=True)",
    "cache_key = f\"user:{user_id}:profile\"",
    "foreign_key: \"orders.customer_id\"",
    "s3_key = \"uploads/2024/01/report.pdf\"",
    "KEY_SIZE = 2048",
    "key_file = \"/etc/ssl/private/server.key\"",
    "tokenizer = AutoTokenizer.from_pretrained(\"bert-base-uncased\")",
    "token_type: \"Bearer\"",
    "auth_url = \"https://login.example.com/oauth2/v2.0/authorize\"",
    "api_version = \"2024-01-15-preview\"",
    "keyboard_layout = \"de-nodeadkeys\"",
    "monkey = new Monkey(\"george\")",
    "author = \"The Chaffinch Authors\"",
    "secretName: my-app-tls",
    "secretKeyRef: { name: db-credentials, key: password }",
    "@Value(\"${secret.key}\") private String key;",
    "password: ${DB_PASSWORD}",
    "password = \"<your password>\"",
    "password: \"changeme\"",
    "password = 'xxxxxxxx'",
    "password = \"\"",
    "t('auth.password.tooShort')",
    "passwordField.sendKeys(Keys.TAB)",
    "assert response.token is not None",
    "import { token, secretKey, apiKey } from './config'",
    "from cryptography.hazmat.primitives.serialization import load_pem_private_key",
    "commit 3f786850e387550fdab836ed7e6dc881de23001b",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "id = \"6ba7b810-9dad-11d1-80b4-00c04fd430c8\"",
    "\"integrity\": \"sha512-v2kDEe57lecTulaDIuNTPy3Ry4gLGJ6Z1O3vE1krgXZNrsQ+LFTGHVxVjcXPs17LhbZVGedAJv8XZ1tvj5FvSg==\",",
    "background: url(data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7)",
    "color: #1e90ff; box-shadow: 0 0 0 1px rgba(0,0,0,.1);",
    "version = \"1.2.3-rc.4+build.567\"",
    "lodash@4.17.21",
    "uses: actions/checkout@v4",
    "@app.route(\"/login\", methods=[\"POST\"])",
    "@pytest.mark.parametrize(\"key,value\", [(1, 2)])",
    "w = a @ b.T",
    "<img src=\"icon@2x.png\">",
    "ssh deploy@staging",
    "SELECT id, password_hash FROM users WHERE email = ?",
    "cursor.execute(\"SELECT * FROM users WHERE token = '\" + token + \"'\")",
    "for (const key of Object.keys(secrets)) delete secrets[key];",
    "public static final String KEY_PASSWORD = \"password\";",
    "logger.info(\"token refreshed for {}\", userId);",
    "pem.replace(\"-----BEGIN PRIVATE KEY-----\", \"\").replace(\"-----END PRIVATE KEY-----\", \"\")",
    "if (!pem.startsWith('-----BEGIN RSA PRIVATE KEY-----')) throw new Error('no key')",
    ".sk-folding-cube-container-wrapper-element { opacity: 0 }",
    "const AKIA_PREFIX = 'AKIA';",
    "MovedAttribute(\"HTTPPasswordMgr\", \"urllib2\", \"urllib.request\"),",
    "re_export_of_all_the_things(module)",
    "setTimeout(() => auth.refresh(), 3600 * 1000)",
    "export AWS_REGION=eu-central-1 AWS_PROFILE=production",
    "curl -H \"Authorization: Bearer $TOKEN\" https://api.example.com/v1/items",
];

fn redacted(redactor: &Redactor, text: &str) -> String {
    let path = "src/settings.py".parse().unwrap();
    let segments = [Segment { path: Some(&path), text }];
    redactor.redact(&segments).unwrap().texts.remove(0).expose().to_owned()
}

/// Whether any stretch of eight of its characters is left (all of it, where it is shorter).
fn leaks(shown: &str, secret: &str) -> bool {
    let characters: Vec<char> = secret.chars().collect();
    let width = characters.len().min(8);
    characters.windows(width).any(|w| shown.contains(&w.iter().collect::<String>()))
}

#[test]
fn nearly_every_labelled_secret_is_found_and_nearly_nothing_else() {
    let redactor = Redactor::new().unwrap();
    let (all, mut missed) = (secrets(), Vec::new());
    for secret in &all {
        let shown = redacted(&redactor, &secret.line.replace("{}", &secret.value));
        if leaks(&shown, &secret.value) {
            missed.push(format!("{}: {}", secret.kind, secret.line));
        }
    }
    let alarms: Vec<&str> =
        HARMLESS.iter().copied().filter(|line| redacted(&redactor, line) != **line).collect();

    let kinds: BTreeSet<&str> = all.iter().map(|s| s.kind).collect();
    assert!(all.len() >= 80 && kinds.len() >= 50 && HARMLESS.len() >= 70);
    let found = all.len() - missed.len();
    println!("recall {found}/{} over {} kinds; missed {missed:?}", all.len(), kinds.len());
    println!("false alarms {}/{}: {alarms:?}", alarms.len(), HARMLESS.len());
    assert!(missed.len() * 50 <= all.len(), "missed: {missed:#?}");
    assert!(alarms.len() * 50 <= HARMLESS.len(), "false alarms: {alarms:#?}");
}
