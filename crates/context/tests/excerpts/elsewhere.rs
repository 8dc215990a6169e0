//! What a finding's file leaves open, and where that is looked for: one small repository a mechanism.

use crate::sends;

#[test]
fn a_constructor_s_parameter_tells_the_class_of_an_injected_object() {
    sends(&[
        (
            "src/user/user.controller.ts",
            "import { UserService } from './user.service';
import { Controller, Delete, Param } from '@nestjs/common';

@Controller()
export class UserController {
  constructor(private readonly userService: UserService) {} // needed

  @Delete('users/:slug')
  async delete(@Param() params) { // needed
    return await this.userService.delete(params.slug); // <-- here
  }
}
",
        ),
        (
            "src/user/user.service.ts",
            "export class UserService {
  async create(user) {
    return await this.users.save(user); // in vain
  }

  async delete(email: string) { // needed
    return await this.users.delete({ email }); // needed
  }
}
",
        ),
    ]);
}

#[test]
fn a_field_of_a_model_is_shown_where_its_class_is_imported() {
    sends(&[
        (
            "shop/views.py",
            "from .models import Item

def run(request, name):
    item = Item.objects.get(name=name)  # needed
    subprocess.run('docker run ' + item.image, shell=True)  # <-- here
",
        ),
        (
            "shop/models.py",
            "class Item(models.Model):
    name = models.CharField(max_length=100)
    image = models.CharField(max_length=100)  # needed
    created = models.DateTimeField()  # in vain
",
        ),
    ]);
}

#[test]
fn an_object_that_is_named_after_a_model_leads_to_it() {
    sends(&[
        (
            "app/controllers/stories_controller.rb",
            "class StoriesController < ApplicationController
  def show
    @story = Story.find(params[:id])
    render html: @story.marked_up.html_safe # <-- here
  end
end
",
        ),
        (
            "app/models/story.rb",
            "class Story < ApplicationRecord
  def marked_up # needed
    Markdown.render(body) # needed
  end

  def url
    \"/stories/#{id}\" # in vain
  end
end
",
        ),
    ]);
}

#[test]
fn what_a_class_includes_or_inherits_is_looked_for_there() {
    sends(&[
        (
            "app/controllers/agents_controller.rb",
            "class AgentsController < ApplicationController
  include DotHelper
  include SortableTable

  before_action :limited

  def index
    @agents = Agent.reorder(table_sort) # <-- here
  end
end
",
        ),
        (
            "app/controllers/concerns/sortable_table.rb",
            "module SortableTable
  def table_sort # needed
    params[:sort] # needed
  end
end
",
        ),
        (
            "app/controllers/application_controller.rb",
            "class ApplicationController < ActionController::Base
  def limited # needed
    head :forbidden unless current_user # needed
  end
end
",
        ),
    ]);
    sends(&[
        (
            "web/files.py",
            "from web.base import Handler

class Files(Handler):
    def send(self, name):
        path = self.within(name)  # needed
        return open(path).read()  # <-- here
",
        ),
        (
            "web/base.py",
            "class Handler:
    def within(self, name):  # needed
        return os.path.join(ROOT, os.path.basename(name))  # needed
",
        ),
    ]);
}

#[test]
fn a_member_that_a_call_declares_or_checks_is_shown_with_it() {
    sends(&[(
        "app/models/import.rb",
        "class Import
  attr_accessor :url, :data # needed
  attr_accessor :other # in vain
  validates_format_of :url, with: URL # needed

  def one
    1
  end

  def two
    2
  end

  def three
    3
  end

  def fetch_url
    self.data = Faraday.get(url).body # <-- here
  end
end
",
    )]);
}

#[test]
fn a_finding_on_an_import_shows_where_the_file_uses_it() {
    sends(&[(
        "utils.go",
        "package utils

import (
	\"crypto/rand\" // in vain
	\"math/rand\" // <-- here
	\"strings\" // in vain
)

var source = rand.NewSource(1) // needed

func trim(s string) string {
	return strings.TrimSpace(s) // in vain
}

func ID() string { // needed
	return letters[source.Int63()%26] // needed
}
",
    )]);
}

#[test]
fn a_finding_on_a_value_of_the_file_shows_who_uses_it() {
    sends(&[(
        "app.py",
        "app = Flask(__name__)
app.config['TOKEN_SECRET'] = 'secret'  # <-- here
app.config['OTHER'] = 1
ROUNDS = 4


def rounds():
    return ROUNDS  # in vain


def token(user):  # needed
    return jwt.encode({'user': user}, app.config['TOKEN_SECRET'])  # needed
",
    )]);
}

#[test]
fn a_key_under_which_a_value_is_read_shows_where_it_is_kept() {
    sends(&[
        (
            "app/controllers/sessions_controller.rb",
            "class SessionsController < ApplicationController
  skip_before_action :authenticate, only: [:create]

  def create
    back = session.delete(:return_to) || '/'
    redirect_to(back) # <-- here
  end
end
",
        ),
        (
            "app/controllers/application_controller.rb",
            "class ApplicationController < ActionController::Base
  def authenticate
    session[:return_to] = request.fullpath # needed
  end
end
",
        ),
    ]);
}

#[test]
fn code_behind_a_comment_on_its_line_is_code() {
    sends(&[(
        "run.c",
        "#include <stdlib.h>
# define LIMIT 16
/* in vain */
/*
 * in vain
 */
int main(int argc, char **argv) { // needed
  char *cmd = \"ls\"; // needed
  /* taken */ cmd = argv[1]; // needed
  system(cmd); // <-- here
}
",
    )]);
    sends(&[(
        "walk.js",
        "class Tree {
  * walk(dir) { // needed
    /* one of ours */ if (dir.includes('..')) return // needed
    exec('ls ' + dir) // <-- here
  }
}
",
    )]);
}

#[test]
fn a_package_called_vendor_is_ours() {
    sends(&[(
        "src/main/java/com/x/vendor/VendorService.java",
        "package com.x.vendor;

class VendorService {
    String find(String name) { // needed
        if (!name.matches(\"[a-z]+\")) { // needed
            throw new IllegalArgumentException(); // needed
        }
        return db.query(\"select \" + name); // <-- here
    }
}
",
    )]);
}

#[test]
fn a_decorator_of_the_next_function_says_nothing_of_this_one() {
    sends(&[(
        "helper.py",
        "import os


def helper(command): # needed
    os.system(command) # <-- here


@app.route('/go') # needed
def go(): # needed
    helper(request.args['c']) # needed
",
    )]);
}

#[test]
fn what_a_module_exports_is_no_definition_of_its_module() {
    sends(&[
        (
            "controllers/tools.js",
            "const { exec } = require('child_process')

module.exports.list = function (req, res) {
  res.json([1, 2]) // in vain
}

module.exports.ping = function (req, res) { // needed
  exec('ping ' + req.body.address, (error, out) => { // <-- here
    res.send(out)
  })
}

module.exports.about = function (req, res) {
  const name = 'tools'
  const text = 'about ' + name
  const more = text + '.'
  res.send(more) // in vain
}
",
        ),
        (
            "routes/tools.js",
            "const tools = require('../controllers/tools')
router.get('/about', tools.about) // in vain
router.post('/ping', signedIn, tools.ping) // needed
",
        ),
    ]);
}
