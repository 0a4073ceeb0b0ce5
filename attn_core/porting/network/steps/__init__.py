"""A network as steps: what they are (`steps`), what was seen of each (`trace`), and how nodes become them (`lift`)."""
