//! A fake GitHub with state, permissions and faults, and a scriptable model endpoint, over real HTTP.
