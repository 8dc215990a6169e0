//! Who calls a function, and who renders a page.

use crate::sends;

#[test]
fn a_call_of_a_method_of_another_object_in_the_same_file_is_a_caller() {
    sends(&[(
        "render.go",
        "package web

func (p Page) cookie(w http.ResponseWriter, value string) http.Cookie { // needed
	return http.Cookie{Name: \"domain\", Value: value} // <-- here
}

func first() int { return 1 }

func second() int { return 2 }

func (t *Page) login(w http.ResponseWriter, r *http.Request) { // needed
	cookie := t.cookie(w, r.FormValue(\"key\")) // needed
	http.SetCookie(w, &cookie)
}
",
    )]);
}

#[test]
fn callers_elsewhere_matter_though_the_file_has_one_too() {
    sends(&[
        (
            "app/repositories/story_repository.rb",
            "class StoryRepository
  def self.unread(order: 'desc') # needed
    Story.order(\"published #{order}\") # <-- here
  end

  def self.since(id)
    unread.where(id: id)
  end
end
",
        ),
        (
            "app/controllers/stories_controller.rb",
            "class StoriesController < ApplicationController
  def index # needed
    order = current_user.stories_order # needed
    @stories = StoryRepository.unread(order:) # needed
  end
end
",
        ),
    ]);
}

#[test]
fn a_helper_is_called_in_a_page_and_what_it_is_handed_comes_from_the_controller() {
    sends(&[
        (
            "app/helpers/jobs_helper.rb",
            "module JobsHelper
  def agent_of(job) # needed
    YAML.unsafe_load(job.handler) # <-- here
  end
end
",
        ),
        (
            "app/views/jobs/index.html.erb",
            "<h1>Jobs</h1>
<% @jobs.each do |job| %><!-- needed -->
  <p><%= job.id %></p>
  <p><%= agent_of(job) %></p><!-- needed -->
<% end %>
",
        ),
        (
            "app/controllers/jobs_controller.rb",
            "class JobsController < ApplicationController
  def index # needed
    @jobs = Delayed::Job.order(:run_at) # needed
  end

  def about
    @text = 'about' # in vain
  end
end
",
        ),
    ]);
}

#[test]
fn a_function_that_makes_the_handler_is_called_where_routes_are() {
    sends(&[
        (
            "routes/redirect.ts",
            "export function performRedirect () { // needed
  return (req: Request, res: Response) => { // needed
    const target = req.query.to as string // needed
    res.redirect(target) // <-- here
  }
}
",
        ),
        (
            "server.ts",
            "import { performRedirect } from './routes/redirect'
const app = express()
const port = 3000 // in vain
app.use(helmet()) // in vain
app.use(cors()) // in vain
app.get('/redirect', limited, performRedirect()) // needed
app.listen(port) // in vain
",
        ),
    ]);
}

#[test]
fn other_routes_and_their_checks_say_nothing_of_this_one() {
    sends(&[
        (
            "routes/redirect.ts",
            "export function performRedirect () { // needed
  return (req: Request, res: Response) => { // needed
    const target = req.query.to as string // needed
    res.redirect(target) // <-- here
  }
}
",
        ),
        (
            "server.ts",
            "import { performRedirect } from './routes/redirect'
function configure (app: Express) { // needed
  app.use('/api/users', security.isAuthorized()) // in vain
  app.delete('/api/users/:id', security.denyAll()) // in vain
  app.use(verify.checkEverything()) // in vain
  app.get('/redirect', performRedirect()) // needed
}
",
        ),
    ]);
}

#[test]
fn who_renders_a_page_is_looked_for_where_its_framework_puts_that() {
    sends(&[
        (
            "shop/templates/lab/one/result.html",
            "{% load static %}
<p>{{ username|safe }}</p> <!-- <-- here -->
",
        ),
        (
            "shop/views.py",
            "def other(request):
    return render(request, 'lab/two/result.html', {'username': 'fixed'})  # in vain


def result(request):  # needed
    username = request.POST.get('username')  # needed
    return render(request, 'lab/one/result.html', {'username': username})  # needed
",
        ),
    ]);
    sends(&[
        (
            "src/app/search/result.component.html",
            "<h1 (click)=\"open()\">Found</h1>
<p [innerHTML]=\"text\"></p> <!-- <-- here -->
",
        ),
        (
            "src/app/search/result.component.ts",
            "export class ResultComponent {
  text = ''

  ngOnInit () {
    this.text = this.sanitizer.bypassSecurityTrustHtml(this.route.query.q) // needed
  }
}
",
        ),
    ]);
    sends(&[
        (
            "web/templates/note.html",
            "{{ define \"note\" }}
<script>var note = {{ .Note }}</script> <!-- <-- here -->
{{ end }}
",
        ),
        (
            "web/handlers.go",
            "package web

func note(w http.ResponseWriter, r *http.Request) { // needed
	text := template.JS(r.FormValue(\"note\")) // needed
	pages.ExecuteTemplate(w, \"note.html\", Data{Note: text}) // needed
}
",
        ),
    ]);
}
