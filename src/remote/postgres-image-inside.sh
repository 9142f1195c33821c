# Says what a Postgres image is: its version, where it keeps its data, which extensions it brings. Runs in a throw-away container.
printf 'version %s\n' "$(postgres --version)"
printf 'directory %s\n' "${PGDATA:-/var/lib/postgresql/data}"
find / -xdev -path '*/extension/*.control' 2>/dev/null | sed -n 's:.*/\([^/]*\)\.control$:extension \1:p'
printf 'end 0\n'
