"""Alembic's entry: the migrations run inside the transaction that `watcher.store.schema` hands over."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
