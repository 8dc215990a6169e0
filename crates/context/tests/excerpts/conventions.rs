//! Where files are that others name without saying where.

use crate::sends;

#[test]
fn a_class_that_is_named_after_its_folders_is_found_in_them() {
    sends(&[
        (
            "lib/classes/Mail/Transport/Buffer.php",
            r#"<?php
class Mail_Transport_Buffer
{
    public function open($params)
    {
        $command = Mail_Text_Cleaner::clean($params['command']);
        proc_open($command, [], $pipes); // <-- here
    }
}
"#,
        ),
        (
            "lib/classes/Mail/Text/Cleaner.php",
            r#"<?php
class Mail_Text_Cleaner
{
    public static function clean($text) // needed
    {
        return escapeshellcmd($text); // needed
    }
}
"#,
        ),
    ]);
}

#[test]
fn the_controller_of_a_view_within_folders_is_found() {
    sends(&[
        ("app/views/admin/users/show.html.erb", "<p>\n  <%= raw @bio %> <!-- <-- here -->\n</p>\n"),
        (
            "app/controllers/admin/users_controller.rb",
            r#"class Admin::UsersController < ApplicationController
  def show
    @bio = User.find(params[:id]).bio # needed
  end
end
"#,
        ),
    ]);
}

#[test]
fn the_values_of_a_layout_are_looked_for_in_what_all_controllers_share() {
    sends(&[
        (
            "app/views/layouts/application.html.erb",
            "<head>\n  <%= raw @banner %> <!-- <-- here -->\n</head>\n",
        ),
        (
            "app/controllers/application_controller.rb",
            r#"class ApplicationController < ActionController::Base
  def banner
    @banner = Setting.find_by(name: "banner").text # needed
  end
end
"#,
        ),
    ]);
}
