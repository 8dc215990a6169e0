//! The imports that say what a name in the slice is.

use crate::sends;

#[test]
fn what_cleans_a_value_is_said_wherever_in_the_slice_it_is_called() {
    sends(&[(
        "src/list.js",
        "import DOMPurify from 'dompurify'; // needed
import { join } from './text'; // in vain

export function list(items) {
  const safe = items.map((item) => DOMPurify.sanitize(item.text)); // needed
  const all = join(safe); // needed
  const whole = `<ul>${all}</ul>`; // needed
  document.body.innerHTML = whole; // <-- here
}
",
    )]);
    sends(&[(
        "src/list.jsx",
        "import DOMPurify from 'dompurify'; // needed

export function List({ items }) {
  return (
    <ul // <-- here
      dangerouslySetInnerHTML={{
        __html: items
          .map((item) => {
            return wrap(marked(DOMPurify.sanitize(item.text)));
          })
          .join(''),
      }}
    />
  );
}
",
    )]);
}

#[test]
fn what_cleans_another_value_is_not_said() {
    sends(&[(
        "src/list.js",
        "import DOMPurify from 'dompurify'; // in vain

export function list(text, other) {
  const whole = `<ul>${text}</ul>`;
  document.body.innerHTML = whole; // <-- here
}

export function safe(text) {
  return DOMPurify.sanitize(text);
}
",
    )]);
}
