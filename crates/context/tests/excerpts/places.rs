//! Where frameworks keep routes and settings: asked for where the code needs one, and else not.

use crate::hops::{Asked, Files, read};

/// What was asked for, and what of it was shown: the lines of all files but the finding's.
fn shown(files: Files<'_>) -> (Vec<String>, Vec<String>) {
    let asked = Asked { requests: Some(12), ..Asked::default() };
    let text = read(files, &asked);
    let (log, rest) = text.split_once('\n').unwrap();
    let own = files[0].0;
    let mut path = "";
    let mut lines = Vec::new();
    for line in rest.lines().take_while(|line| !line.starts_with("rung ")) {
        match line.starts_with(' ') {
            false => path = line,
            true if path != own => {
                let (reason, text) = line.split_once(" | ").unwrap();
                lines.push(format!("{} | {}", reason.trim(), text.trim()));
            }
            true => {}
        }
    }
    (log.split(", ").map(str::to_owned).collect(), lines)
}

/// Asserts that the last file of `files` is asked for, and that these of its lines are shown.
fn leads(files: Files<'_>, wanted: &[&str]) {
    let (asked, lines) = shown(files);
    let last = files.last().unwrap().0;
    assert!(asked.iter().any(|path| path == last), "{last} of {asked:?}");
    assert_eq!(lines, wanted, "{asked:?}");
}

/// Asserts that no file whose path ends so is asked for.
fn asks_not(files: Files<'_>, ends: &[&str]) {
    let (asked, _) = shown(files);
    for end in ends {
        assert!(!asked.iter().any(|path| path.ends_with(end)), "{end} of {asked:?}");
    }
}

#[test]
fn django_names_the_view_in_the_urls_of_the_app() {
    leads(
        &[
            (
                "shop/orders/views.py",
                "from django.views import View\n\nclass OrderList(View):\n    def get(self, request):\n        return run(request.GET['q']) # <-- here\n",
            ),
            (
                "shop/orders/urls.py",
                "from django.urls import path\nfrom .views import OrderList\n\nurlpatterns = [\n    path('', home),\n    path('orders/', OrderList.as_view()),\n]\n",
            ),
        ],
        &[
            "4 caller of get | urlpatterns = [",
            "6 caller of get | path('orders/', OrderList.as_view()),",
        ],
    );
    leads(
        &[
            (
                "orders/views.py",
                "from django.http import HttpResponse\n\ndef show(request):\n    return HttpResponse(request.GET['q']) # <-- here\n",
            ),
            (
                "orders/urls.py",
                "from django.urls import path\nfrom . import views\n\nurlpatterns = [path('show', staff_only(views.show))]\n",
            ),
        ],
        &["4 caller of show | urlpatterns = [path('show', staff_only(views.show))]"],
    );
}

#[test]
fn django_names_the_project_in_manage_py() {
    let manage = (
        "manage.py",
        "import os\n\nos.environ.setdefault(\"DJANGO_SETTINGS_MODULE\", \"acme.settings\")\n",
    );
    leads(
        &[
            (
                "orders/views.py",
                "from django.views import View\nfrom orders.x import y\n\nclass OrderList(View):\n    def get(self, request):\n        return run(request.GET['q']) # <-- here\n",
            ),
            manage,
            ("acme/urls.py", "urlpatterns = [\n    path('o', OrderList.as_view()),\n]\n"),
        ],
        &["1 caller of get | urlpatterns = [", "2 caller of get | path('o', OrderList.as_view()),"],
    );
    leads(
        &[
            (
                "orders/files.py",
                "from django.conf import settings\n\ndef save():\n    return run(settings.UPLOAD_DIR) # <-- here\n",
            ),
            manage,
            ("acme/settings.py", "DEBUG = True\nUPLOAD_DIR = '/srv/up'\n"),
        ],
        &["2 constant UPLOAD_DIR | UPLOAD_DIR = '/srv/up'"],
    );
}

#[test]
fn flask_keeps_keys_in_its_configuration() {
    leads(
        &[
            (
                "shop/save.py",
                "from flask import current_app\n\n@bp.route('/x')\ndef save():\n    folder = current_app.config['UPLOAD_DIR']\n    return run(folder) # <-- here\n",
            ),
            ("config.py", "class Config:\n    DEBUG = False\n    UPLOAD_DIR = '/srv/up'\n"),
        ],
        &["3 constant UPLOAD_DIR | UPLOAD_DIR = '/srv/up'"],
    );
}

#[test]
fn rails_names_the_action_in_its_routes() {
    let posts = "class PostsController < ApplicationController\n  def show\n    render inline: params[:q] # <-- here\n  end\nend\n";
    leads(
        &[
            ("app/controllers/posts_controller.rb", posts),
            (
                "config/routes.rb",
                "Rails.application.routes.draw do\n  get '/about', to: 'pages#about'\n  authenticate :admin do\n    get '/p', to: 'posts#show'\n  end\nend\n",
            ),
        ],
        &[
            "1 caller of show | Rails.application.routes.draw do",
            "3 caller of show | authenticate :admin do",
            "4 caller of show | get '/p', to: 'posts#show'",
        ],
    );
    leads(
        &[
            ("app/controllers/posts_controller.rb", posts),
            (
                "config/routes.rb",
                "Rails.application.routes.draw do\n  resources :users\n  resources :posts, only: [:show]\nend\n",
            ),
        ],
        &[
            "1 caller of show | Rails.application.routes.draw do",
            "3 caller of show | resources :posts, only: [:show]",
        ],
    );
}

#[test]
fn rails_keeps_settings_in_its_application() {
    leads(
        &[
            (
                "app/services/store.rb",
                "class Store\n  def put\n    run(Rails.application.config.upload_dir) # <-- here\n  end\nend\n",
            ),
            (
                "config/application.rb",
                "module Shop\n  class Application < Rails::Application\n    config.time_zone = 'UTC'\n    config.upload_dir = '/srv/up'\n  end\nend\n",
            ),
        ],
        &["4 constant upload_dir | config.upload_dir = '/srv/up'"],
    );
}

#[test]
fn laravel_names_the_action_in_its_routes() {
    leads(
        &[
            (
                "app/Http/Controllers/PostController.php",
                "<?php\nnamespace App\\Http\\Controllers;\n\nclass PostController extends Controller\n{\n    public function show()\n    {\n        echo $_GET['q']; // <-- here\n    }\n}\n",
            ),
            (
                "routes/web.php",
                "<?php\nuse App\\Http\\Controllers\\PostController;\n\nRoute::middleware('auth')->group(function () {\n    Route::get('/p', [PostController::class, 'show']);\n    Route::get('/q', [PostController::class, 'index']);\n});\n",
            ),
        ],
        &[
            "4 caller of show | Route::middleware('auth')->group(function () {",
            "5 caller of show | Route::get('/p', [PostController::class, 'show']);",
        ],
    );
}

#[test]
fn laravel_keeps_keys_in_a_file_of_their_first_part() {
    leads(
        &[
            (
                "app/Files.php",
                "<?php\nnamespace App;\n\nclass Files\n{\n    public function put()\n    {\n        return system(config('shop.tools.scan')); // <-- here\n    }\n}\n",
            ),
            (
                "config/shop.php",
                "<?php\nreturn [\n    'scan' => 'no',\n    'tools' => [\n        'scan' => '/usr/bin/scan',\n    ],\n];\n",
            ),
        ],
        &[
            "4 constant shop.tools.scan | 'tools' => [",
            "5 constant shop.tools.scan | 'scan' => '/usr/bin/scan',",
        ],
    );
}

const SPRING: &str = "package com.acme.web;\n\nclass Files {\n    @Value(\"${upload.dir:/tmp}\")\n    private String dir;\n\n    @GetMapping(\"/f\")\n    void put() {\n        run(dir); // <-- here\n    }\n}\n";

#[test]
fn spring_keeps_values_in_the_resources_of_the_module() {
    let own = ("core/src/main/java/com/acme/web/Files.java", SPRING);
    leads(
        &[
            own,
            (
                "core/src/main/resources/application.properties",
                "server.port=80\n# upload.dir=/old\nupload.dir=/srv/up\n",
            ),
        ],
        &["3 constant upload.dir | upload.dir=/srv/up"],
    );
    leads(
        &[
            own,
            (
                "core/src/main/resources/application.yml",
                "other:\n  dir: /no\nupload:\n  size: 3\n  dir: /srv/up\nlast:\n  dir: /no\n",
            ),
        ],
        &["3 constant upload.dir | upload:", "5 constant upload.dir | dir: /srv/up"],
    );
}

#[test]
fn properties_are_read_from_the_file_that_the_code_names() {
    leads(
        &[
            (
                "src/main/java/com/acme/Hash.java",
                "package com.acme;\n\nclass Hash {\n    @GetMapping(\"/f\")\n    void put() {\n        Properties props = new Properties();\n        props.load(getClass().getResourceAsStream(\"/shop.properties\"));\n        String name = props.getProperty(\"hash.name\");\n        MessageDigest.getInstance(name); // <-- here\n    }\n}\n",
            ),
            ("src/main/resources/shop.properties", "a=b\nhash.name=MD5\n"),
        ],
        &["2 constant hash.name | hash.name=MD5"],
    );
}

#[test]
fn asp_net_keeps_keys_in_its_settings() {
    leads(
        &[
            (
                "Shop/Controllers/FilesController.cs",
                "public class FilesController : Controller\n{\n    [HttpGet(\"/f\")]\n    public IActionResult Get()\n    {\n        var dir = _configuration[\"Upload:Dir\"];\n        return Run(dir); // <-- here\n    }\n}\n",
            ),
            (
                "Shop/appsettings.json",
                "{\n  \"Dir\": \"/no\",\n  \"Upload\": {\n    \"Dir\": \"/srv/up\"\n  }\n}\n",
            ),
        ],
        &["3 constant Upload:Dir | \"Upload\": {", "4 constant Upload:Dir | \"Dir\": \"/srv/up\""],
    );
}

#[test]
fn node_keeps_keys_in_its_default_configuration() {
    leads(
        &[
            (
                "src/files.js",
                "const config = require('config');\n\napp.get('/f', (req, res) => {\n  run(config.get('upload.dir')); // <-- here\n});\n",
            ),
            ("config/default.json", "{\n  \"upload\": {\n    \"dir\": \"/srv/up\"\n  }\n}\n"),
        ],
        &["2 constant upload.dir | \"upload\": {", "3 constant upload.dir | \"dir\": \"/srv/up\""],
    );
}

#[test]
fn a_handler_of_express_is_looked_for_where_routes_are() {
    let (asked, lines) = shown(&[
        (
            "controllers/files.js",
            "exports.put = (req, res) => {\n  run(req.query.q); // <-- here\n};\n",
        ),
        (
            "server.js",
            "const files = require('./controllers/files');\napp.post('/f', admin, files.put);\n",
        ),
    ]);
    assert_eq!(lines, ["2 caller of put | app.post('/f', admin, files.put);"], "{asked:?}");
}

#[test]
fn what_has_a_route_of_its_own_or_a_caller_leads_to_no_routes() {
    asks_not(
        &[(
            "shop/views.py",
            "from django.shortcuts import render\n\n@app.route('/x')\ndef show():\n    return run(request.args['q']) # <-- here\n",
        )],
        &["urls.py", "manage.py"],
    );
    asks_not(
        &[(
            "orders/views.py",
            "from django.http import HttpResponse\n\ndef inner(q):\n    return run(q) # <-- here\n\n@app.route('/x')\ndef show(request):\n    return inner(request.GET['q'])\n",
        )],
        &["manage.py"],
    );
    asks_not(
        &[("app/models/post.rb", "class Post\n  def show\n    run(@q) # <-- here\n  end\nend\n")],
        &["routes.rb", "application.rb"],
    );
}

#[test]
fn settings_are_not_read_where_no_line_of_the_slice_looks_one_up() {
    asks_not(
        &[(
            "orders/files.py",
            "from django.conf import settings\n\ndef save():\n    return run('x') # <-- here\n\ndef other():\n    return settings.UPLOAD_DIR\n",
        )],
        &["settings.py", "manage.py"],
    );
    let unused = SPRING.replace("run(dir)", "run(null)");
    asks_not(
        &[("core/src/main/java/com/acme/web/Files.java", unused.as_str())],
        &[".properties", ".yml", ".yaml"],
    );
    asks_not(
        &[(
            "src/main/java/com/acme/Hash.java",
            "package com.acme;\n\nclass Hash {\n    @GetMapping(\"/f\")\n    void put() {\n        run(System.getProperty(\"user.dir\")); // <-- here\n        load(\"shop.properties\");\n    }\n}\n",
        )],
        &[".properties", ".yml"],
    );
    asks_not(
        &[(
            "app/Files.php",
            "<?php\nfunction put() {\n    return system($this->config('a.b')); // <-- here\n}\n",
        )],
        &["config/a.php"],
    );
}

#[test]
fn imports_of_the_slice_come_first() {
    let (asked, _) = shown(&[
        (
            "app/controllers/posts_controller.rb",
            "class PostsController < ApplicationController\n  def show\n    render inline: Clean.text(params[:q]) # <-- here\n  end\nend\n",
        ),
        ("app/models/clean.rb", "class Clean\n  def self.text(q)\n    q\n  end\nend\n"),
    ]);
    let at = |end: &str| asked.iter().position(|path| path.ends_with(end)).unwrap();
    assert!(at("clean.rb") < at("config/routes.rb"), "{asked:?}");
}
