# Random databases: a pure function of a seed. What they hold reads their own tables wherever PostgreSQL evaluates
# code while it restores: in generated columns, CHECK constraints, domains, partition keys, indexes, EXCLUDE
# constraints and materialized views. To see one: perl -I test/perl -MRandomSchema -e 'print random_schema(5)->{sql}'
package RandomSchema;

use strict;
use warnings;

use parent -norequire, qw(RandomTables RandomBuilds);

use Exporter 'import';
use RandomBuilds;
use RandomCode;
use RandomTables;

our @EXPORT = qw(random_schema random_roles);

# Roles that the databases expect.
sub random_roles { return map { identifier($_) } 'random_owner', 'Random Keeper', 'random_clerk', 'random_guest' }

# A database: name (not quoted); create: statements that create it, from another one; sql: what then creates
# everything in it, from a session of its own; title: what is notable.
sub random_schema
{
	my ($seed) = @_;
	srand $seed;
	my $self = bless {
		names => 0, statements => [], tables => [], code => {}, operators => {}, keys => [],
		builds_read_later => chance(0.6),
		# Functions with a body that the server parses, or casts: pg_dump knows no dependency of a table on a cast, and
		# puts the table before it when such a function reads the table.
		has_atomic => chance(0.5), owner => chance(0.25) ? 'random_owner' : undef }, __PACKAGE__;
	my $name = sprintf one_of('random_%s', 'Random %s', 'random"%s', "random'%s", 'random.%s', "r\xc3\xa4ndom-%s"), $seed;
	my @create = $self->create_database($name);
	$self->make_schemas;
	$self->plan_tables;
	$self->make_table($_) for @{ $self->{tables} };
	$self->build_on($_) for @{ $self->{tables} };
	$self->reference_tables;
	$self->make_views;
	$self->make_materialized_views;
	$self->attach($_) for @{ $self->{tables} };
	$self->make_large_objects;
	$self->grant;
	my $rows = 0;
	$rows += $_->{rows} for @{ $self->{tables} };
	return {
		name => $name, create => \@create, sql => join('', map { "$_;\n" } @{ $self->{statements} }),
		title => sprintf('%d tables, %d rows%s', scalar @{ $self->{tables} }, $rows, $self->{owner} ? ', of a role without rights' : '') };
}

sub create_database
{
	my ($self, $name) = @_;
	my $database = identifier($name);
	my $owner = $self->{owner} // one_of('postgres', '"Random Keeper"');
	my @sql = ("CREATE DATABASE $database OWNER $owner TEMPLATE template0");
	$self->{region} = one_of('north', "it's", 'a "b" \\ c', "\xc3\xbcber", '%n $$', ' blank ');
	push @sql, "ALTER DATABASE $database SET app.region = " . literal($self->{region});
	my @settings = (
		"timezone = '" . one_of('Pacific/Auckland', 'America/St_Johns', 'UTC', 'Asia/Kathmandu') . "'",
		"DateStyle = '" . one_of('German, DMY', 'SQL, MDY', 'Postgres, DMY', 'ISO, YMD') . "'",
		"IntervalStyle = '" . one_of('postgres_verbose', 'iso_8601') . "'",
		"lc_monetary = '" . one_of('C', 'C.UTF-8') . "'",
		"bytea_output = 'escape'", 'extra_float_digits = ' . one_of(-3, 0, 2), "search_path = 'nowhere, \"\$user\", public'",
		'app.most = ' . number(1, 9), "work_mem = '3MB'", "statement_timeout = '10min'", "xmlbinary = 'hex'", 'enable_hashagg = off',
		"default_transaction_isolation = 'repeatable read'", 'default_statistics_target = 20', "app.empty = ''");
	push @sql, map { "ALTER DATABASE $database SET $_" } grep { chance(0.3) } @settings;
	push @sql, "ALTER ROLE random_clerk IN DATABASE $database SET app.region = 'clerk'" if chance(0.3);
	push @sql, "ALTER DATABASE $database CONNECTION LIMIT 50" if chance(0.2);
	push @sql, "GRANT CONNECT ON DATABASE $database TO random_clerk WITH GRANT OPTION",
	  'SET ROLE random_clerk', "GRANT CONNECT ON DATABASE $database TO random_guest", 'RESET ROLE' if chance(0.3);
	push @sql, "REVOKE ALL ON DATABASE $database FROM PUBLIC" if chance(0.2);
	push @sql, "COMMENT ON DATABASE $database IS 'it''s one of many'" if chance(0.3);
	return @sql;
}

sub make_schemas
{
	my ($self) = @_;
	my $owner = $self->{owner} ? " AUTHORIZATION $self->{owner}" : '';
	my @schemas = map { one_of('a' .. 'z') . $self->new_name('s') } 1 .. number(1, 4);
	$self->emit('CREATE SCHEMA ' . identifier($_) . $owner) for @schemas;
	if (chance(0.5))
	{
		push @schemas, 'public';
		$self->emit("GRANT ALL ON SCHEMA public TO $self->{owner}") if $self->{owner};
	}
	$self->{schemas} = \@schemas;
	$self->{extensions} = identifier(one_of(@schemas));
	$self->emit("CREATE EXTENSION btree_gist SCHEMA $self->{extensions}") if $self->{has_gist} = chance(0.6);
	$self->emit("SET ROLE $self->{owner}") if $self->{owner};
	$self->emit('CREATE TYPE ' . ($self->{kind} = $self->new_object('kind')) . q{ AS ENUM ('low', 'high', 'Odd "one"')});
	$self->emit("ALTER TYPE $self->{kind} ADD VALUE 'middle' BEFORE 'high'");
	# Days differ by time zone.
	$self->emit('CREATE FUNCTION ' . ($self->{day} = $self->new_object('day')) . q{(timestamptz) RETURNS date LANGUAGE sql IMMUTABLE AS 'SELECT $1::date'});
	return;
}

# What comes with a table.
sub attach
{
	my ($self, $table) = @_;
	my ($id, $value, $pad) = map { identifier($table->{$_}) } qw(id value pad);
	my $object = $table->{object};
	$self->emit("COMMENT ON TABLE $object IS " . literal("of $self->{region}\nwith two lines; -- and more")) if chance(0.2);
	$self->emit("COMMENT ON COLUMN $object.$id IS 'the \"key\"'") if chance(0.1);
	if (chance(0.2))
	{
		my $function = $self->new_object('fires');
		$self->emit("CREATE FUNCTION $function() RETURNS trigger LANGUAGE plpgsql AS \$f\$ BEGIN RAISE 'fired'; END \$f\$");
		my $trigger = identifier($self->new_name('tr'));
		$self->emit("CREATE TRIGGER $trigger " . one_of('BEFORE', 'AFTER') . ' ' . one_of('INSERT', 'UPDATE OR DELETE', "INSERT OR UPDATE OF $value")
			  . " ON $object FOR EACH ROW WHEN (" . one_of('true', 'pg_trigger_depth() > 0') . ") EXECUTE FUNCTION $function('it''s', 'an argument')");
		$self->emit("ALTER TABLE $object ENABLE " . one_of('ALWAYS', 'REPLICA') . " TRIGGER $trigger") if !$table->{parted} && chance(0.5);
	}
	$self->emit('CREATE RULE ' . identifier($self->new_name('rule')) . " AS ON DELETE TO $object " . one_of('WHERE old.' . "$id > 5 ", '') . 'DO ' . one_of('INSTEAD NOTHING', 'ALSO SELECT 1')) if chance(0.1);
	if (chance(0.15))
	{
		$self->emit('CREATE POLICY ' . identifier($self->new_name('p')) . " ON $object" . one_of('', ' AS RESTRICTIVE') . one_of('', ' FOR SELECT', ' FOR UPDATE')
			  . ' TO ' . one_of('PUBLIC', 'random_clerk', '"Random Keeper", random_guest') . ' USING (' . $self->code('bool', $everywhere, $table->{rows})->{of}->($id) . ')',
			"ALTER TABLE $object ENABLE ROW LEVEL SECURITY");
		$self->emit("ALTER TABLE $object FORCE ROW LEVEL SECURITY") if !$self->{owner} && chance(0.3);
	}
	$self->emit("ALTER TABLE $object REPLICA IDENTITY FULL") if chance(0.1);
	return;
}

sub make_large_objects
{
	my ($self) = @_;
	return unless chance(0.3);
	for my $number (1 .. number(1, 5))
	{
		my $oid = 70000 + $number;
		$self->emit("SELECT lo_from_bytea($oid, decode(repeat(md5('$number'), " . number(0, 300) . "), 'hex'))");
		$self->emit("GRANT SELECT ON LARGE OBJECT $oid TO random_clerk") if chance(0.3);
		$self->emit("COMMENT ON LARGE OBJECT $oid IS 'large'") if chance(0.3);
	}
	return;
}

sub grant
{
	my ($self) = @_;
	my $sequence = $self->new_object('seq');
	$self->emit("CREATE SEQUENCE $sequence" . one_of('', ' AS smallint', ' INCREMENT -3 MAXVALUE 50 CYCLE', ' CACHE 20'));
	$self->emit("SELECT nextval('" . ($sequence =~ s/'/''/gr) . "')") if chance(0.6);
	my $schema = identifier(one_of(@{ $self->{schemas} }));
	$self->emit("ALTER DEFAULT PRIVILEGES IN SCHEMA $schema GRANT SELECT ON TABLES TO random_clerk") if chance(0.3);
	$self->emit('ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC') if chance(0.1);
	for my $table (@{ $self->{tables} })
	{
		next unless chance(0.25);
		my $own = identifier($table->{schema});
		$self->emit("GRANT SELECT (" . identifier($table->{id}) . "), UPDATE ON $table->{object} TO random_guest") if chance(0.4);
		$self->emit("GRANT USAGE ON SCHEMA $own TO random_clerk", "GRANT SELECT, INSERT ON $table->{object} TO random_clerk WITH GRANT OPTION");
		# Another one's grant.
		$self->emit('RESET ROLE', 'SET ROLE random_clerk', "GRANT SELECT ON $table->{object} TO random_guest", 'RESET ROLE', $self->{owner} ? "SET ROLE $self->{owner}" : ());
	}
	return;
}

1;
