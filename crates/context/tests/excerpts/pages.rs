//! Where in a page a value stands.

use crate::sends;

#[test]
fn a_value_in_a_script_comes_with_the_tag_that_opens_it() {
    sends(&[(
        "templates/edit.html",
        r#"{% block page %}
<script src="/in-vain.js"></script>
<p>in vain</p>
<script nonce="needed">
  start({
    lines: 3,
    wrap: true,
    text: "{{ text }}", // <-- here
  });
</script>
"#,
    )]);
}

#[test]
fn a_value_in_a_tag_of_several_lines_comes_with_its_name() {
    sends(&[(
        "app/views/pages/show.html.erb",
        r#"<div class="in vain">
  <a class="needed"
     title="<%= t('.more') %>"
     data-count="3"
     href=<%= raw @page.address %>> <!-- <-- here -->
  </a>
</div>
"#,
    )]);
}

#[test]
fn a_value_behind_a_script_is_not_in_it() {
    sends(&[(
        "templates/show.html",
        r#"<script>
  // in vain
</script>
<p class="in vain">
  about
</p>
{{ text | safe }} <!-- <-- here -->
"#,
    )]);
}
