//! Values that pass through a function which the finding's own function defines.

use crate::sends;

/// Rows between a definition and the finding, so that none is shown for standing near it.
fn filler(line: &str) -> String {
    (0..24).map(|i| format!("{}\n", line.replace('#', &i.to_string()))).collect()
}

#[test]
fn python() {
    let source = format!(
        "def show(request, db):  # needed
    def clean(text):  # needed
        log('in vain')
        text = text.strip()  # needed
        if not text:  # needed
            return ''  # needed
        words = text.split()
        log(words, 'in vain')
        return escape(text)  # needed

    def other(text):
        return text.upper()  # in vain

{}    name = clean(request.args['q'])  # needed
    db.execute('select ' + name)  # <-- here
",
        filler("    work(#)")
    );
    sends(&[("a.py", &source)]);
}

#[test]
fn javascript() {
    let source = format!(
        "function show(req, res) {{ // needed
  const clean = (s) => {{ // needed
    log('in vain');
    const plain = s.trim(); // needed
    return plain.replace(/</g, ''); // needed
  }};
  function quote(s) {{ // needed
    count('in vain');
    return '\"' + s + '\"'; // needed
  }}
  const other = (s) => {{
    return s.big(); // in vain
  }};
{}  const name = quote(clean(req.query.q)); // needed
  res.send('<b>' + name); // <-- here
}}
",
        filler("  work(#);")
    );
    sends(&[("a.js", &source)]);
}

#[test]
fn what_a_callback_returns_is_part_of_the_value() {
    let source = format!(
        "function show(req, res) {{ // needed
  const names = req.query.names.map((name) => {{ // needed
    log('in vain');
    const plain = name.trim(); // needed
    return escape(plain); // needed
  }});
{}  res.send('<b>' + names); // <-- here
}}
",
        filler("  work(#);")
    );
    sends(&[("a.js", &source)]);
}

#[test]
fn go() {
    let source = format!(
        "package a

func show(w http.ResponseWriter, r *http.Request) {{ // needed
	clean := func(s string) string {{ // needed
		log.Print(\"in vain\")
		plain := strings.TrimSpace(s) // needed
		if plain == \"\" {{ // needed
			return \"x\" // needed
		}}
		return html.EscapeString(plain) // needed
	}}
	other := func(s string) string {{
		return s + s // in vain
	}}
{}	name := clean(r.FormValue(\"q\")) // needed
	fmt.Fprint(w, name) // <-- here
}}
",
        filler("	work(#)")
    );
    sends(&[("a.go", &source)]);
}

#[test]
fn kotlin() {
    let source = format!(
        "fun show(call: Call): String {{ // needed
    val clean = {{ s: String -> // needed
        log(\"in vain\")
        val plain = s.trim() // needed
        plain.replace(\"<\", \"\") // needed
    }}
    fun quote(s: String): String {{ // needed
        log(\"in vain\")
        return \"'\" + s + \"'\" // needed
    }}
{}    val name = quote(clean(call.query)) // needed
    return render(name) // <-- here
}}
",
        filler("    work(#)")
    );
    sends(&[("A.kt", &source)]);
}

#[test]
fn ruby() {
    let source = format!(
        "def show(params) # needed
  clean = ->(text) {{ # needed
    log('in vain')
    plain = text.strip # needed
    CGI.escape(plain) # needed
  }}
  quote = lambda do |text| # needed
    log('in vain')
    return nil if text.empty? # needed
    \"'\" + text + \"'\" # needed
  end
{}  name = quote.call(clean.(params[:q])) # needed
  DB.run('select ' + name) # <-- here
end
",
        filler("  work(#)")
    );
    sends(&[("a.rb", &source)]);
}

#[test]
fn of_two_functions_of_a_name_the_one_that_is_known_is_meant() {
    let source = format!(
        "function show(req, res) {{ // needed
  function one() {{
    function clean(s) {{
      return s.small(); // in vain
    }}
    return clean('');
  }}
  function clean(s) {{ // needed
    return s.trim(); // needed
  }}
  const page = {{
    clean(s) {{
      return s.big(); // in vain
    }},
  }};
{}  const name = clean(req.query.q); // needed
  res.send('<b>' + name); // <-- here
}}
",
        filler("  work(#);")
    );
    sends(&[("a.js", &source)]);
}

#[test]
fn what_is_near_in_dependence_outlasts_the_inner_function() {
    let source = format!(
        "def show(request, db):
    def clean(text):
        plain = text.strip()  # in vain
        return escape(plain)

{}    name = clean(request.args['q'])  # needed
    db.execute('select ' + name)  # <-- here
",
        filler("    work(#)")
    );
    let limits = crate::Limits { budget: 80, ..crate::AMPLE };
    let line = u32::try_from(source.lines().count()).unwrap();
    let found = crate::finding("a.py", Some(crate::region(line, line)));
    let sent = crate::excerpt(&found, &[("a.py", source.as_bytes())], limits).unwrap();
    let path = "a.py".parse().unwrap();
    let has = |number: u32| sent.line(&path, number).is_some();
    assert!(has(line - 1) && has(4) && !has(3), "{:?}", sent.lines());
}

#[test]
fn each_arm_of_the_last_statement_can_be_the_result() {
    let ruby = format!(
        "def show(params) # needed
  clean = ->(text) {{ # needed
    log('in vain')
    if text.empty? # needed
      count('in vain')
      'nothing' # needed
    elsif text == 'x' # needed
      'x' # needed
    else
      plain = text.strip # needed
      CGI.escape(plain) # needed
    end
  }}
{}  name = clean.(params[:q]) # needed
  DB.run('select ' + name) # <-- here
end
",
        filler("  work(#)")
    );
    sends(&[("a.rb", &ruby)]);
    let kotlin = format!(
        "fun show(call: Call): String {{ // needed
    val clean = {{ s: String -> // needed
        when (s) {{ // needed
            \"x\" -> {{
                log(\"in vain\")
                \"nothing\" // needed
            }}
            else -> {{
                val plain = s.trim() // needed
                plain.replace(\"<\", \"\") // needed
            }}
        }}
    }}
{}    val name = clean(call.query) // needed
    return render(name) // <-- here
}}
",
        filler("    work(#)")
    );
    sends(&[("A.kt", &kotlin)]);
}

#[test]
fn a_callback_that_returns_nothing_is_no_part_of_the_value() {
    let source = format!(
        "function show(req, res) {{ // needed
  const timer = start((tick) => {{ // needed
    one(tick);
    two(tick); // in vain
  }});
{}  res.send(req.query.q + timer); // <-- here
}}
",
        filler("  work(#);")
    );
    sends(&[("a.js", &source)]);
}
