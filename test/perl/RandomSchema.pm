# Random databases: a pure function of a seed. What they hold reads their own tables wherever PostgreSQL evaluates
# code while it restores: in generated columns, CHECK constraints, domains, partition keys, indexes, EXCLUDE
# constraints and materialized views. To see one: perl -I test/perl -MRandomSchema -e 'print random_schema(5)->{sql}'
package RandomSchema;

use strict;
use warnings;

use parent -norequire, 'RandomCode';

use Exporter 'import';
use RandomCode;

our @EXPORT = qw(random_schema random_roles);

my $everywhere = [ 0, 1000 ];

BEGIN { no strict 'refs'; *{$_} = \&{"RandomCode::$_"} for qw(chance one_of number identifier literal) }

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

# Which tables there will be: their names, which are their order, and how many rows they have.
sub plan_tables
{
	my ($self) = @_;
	my %taken;
	my $large = chance(0.15) ? number(3, 8) : -1;
	for my $i (1 .. number(4, 10))
	{
		my $start;
		do { $start = join '', map { one_of('a' .. 'z') } 1 .. 3 } while $taken{$start}++;
		$start = ucfirst $start if chance(0.2);
		push @{ $self->{tables} }, {
			schema => one_of(@{ $self->{schemas} }), name => $start . $self->new_name('t'),
			rows => $i == $large ? 7000 : one_of(0, 3, number(4, 9), number(10, 30), number(10, 30), number(10, 40), number(100, 400), number(1500, 2500)),
			width => $i == $large ? 1500 : one_of(0, 20, 200, 600) };
	}
	my $rank = 0;
	$_->{rank} = ++$rank for @{ $self->{tables} } =
	  sort { $a->{schema} cmp $b->{schema} || $a->{name} cmp $b->{name} } @{ $self->{tables} };
	$_->{object} = identifier($_->{schema}) . '.' . identifier($_->{name}) for @{ $self->{tables} };
	return;
}

# A column: its name, definition, in which <name> stands for it, and, unless the server gives the value, an
# expression of i.
sub add_column
{
	my ($self, $table, $base, $definition, $value) = @_;
	my $name = $self->new_name($base);
	my $quoted = identifier($name);
	push @{ $table->{columns} }, { name => $name, definition => "$quoted " . $definition =~ s/<name>/$quoted/r, value => $value };
	return $name;
}

my @column_kinds = qw(generated generated generated generated_from_kind checked checked checked compared own_range moment local_date region identity serial
  array json number money bytes words span kind);

sub make_column
{
	my ($self, $table, $kind) = @_;
	my ($from, $rows, $id) = ([ 0, $table->{rank} ], $table->{rows}, identifier($table->{id}));
	my $add = sub { return $self->add_column($table, @_) };
	if ($kind eq 'generated')
	{
		my $code = $self->code('int', $from, $rows);
		my $name = $add->('g', 'int GENERATED ALWAYS AS (' . $code->{of}->($id) . ') STORED');
		push @{ $table->{readable} }, $name;
	}
	elsif ($kind eq 'generated_late')
	{
		# Of which nobody can tell what PostgreSQL's own programs make, for it depends on what they load first.
		my $late = one_of($self->readable($everywhere, $rows)) or return;
		$add->('late', 'int GENERATED ALWAYS AS (' . $self->new_function('int', $late) . "($id)) STORED");
	}
	elsif ($kind eq 'generated_from_kind')
	{
		my $source = $add->('k', $self->{kind}, "(enum_range(NULL::$self->{kind}))[1 + i % 4]");
		$add->('g', 'int GENERATED ALWAYS AS (' . $self->code('int', $from, $rows)->{of}->('(CASE ' . identifier($source) . " WHEN 'low' THEN 1 ELSE 2 END)") . ') STORED');
	}
	elsif ($kind eq 'checked')
	{
		my ($type, $value) = @{ $self->checked_type($from, $rows) };
		$add->('d', $type, $value);
	}
	elsif ($kind eq 'compared' && !$table->{parted})
	{
		my $type = $self->compared_type($from, $rows) or return;
		$table->{compared} = $add->('c', $type, "ROW(i)::$type");
	}
	elsif ($kind eq 'own_range')
	{
		my $class = $self->operator_class('btree', $from, $rows) or return;
		my $type = $self->new_object('range');
		$self->emit("CREATE TYPE $type AS RANGE (SUBTYPE = int, SUBTYPE_OPCLASS = $class)");
		$add->('r', $type, "$type(i, i + 3)");
	}
	elsif ($kind eq 'moment') { moment($self, $table) }
	elsif ($kind eq 'local_date')
	{
		my $day = $add->('day', 'date', "date '2026-01-01' + i");
		$add->('text', 'text CHECK (' . identifier($day) . '::text = <name>)', "(date '2026-01-01' + i)::text");
	}
	elsif ($kind eq 'region') { $add->('region', q{text CHECK (<name> = current_setting('app.region'))}, q{current_setting('app.region')}) }
	elsif ($kind eq 'identity' && !$table->{parted})
	{
		$add->('ident', 'int GENERATED ' . one_of('ALWAYS', 'BY DEFAULT') . ' AS IDENTITY' . one_of('', ' (START 100 INCREMENT 5)', ' (MINVALUE -5 START 7 CACHE 4)'));
	}
	elsif ($kind eq 'serial') { $add->('n', one_of('serial', 'bigserial', 'smallserial')) }
	elsif ($kind eq 'array') { $table->{array} = $add->('a', 'int[]', 'ARRAY[i % 5, i % 3, NULL]') }
	elsif ($kind eq 'json') { $add->('j', 'jsonb', q{jsonb_build_object('i', i, 'x', NULL, 'ü', '"\\')}) }
	elsif ($kind eq 'number') { $add->('num', 'numeric(12, 3)', "CASE WHEN i % 11 = 0 THEN 'NaN'::numeric ELSE i / 7.0 END"), $add->('f', 'float8', 'i / 3.0::float8') }
	elsif ($kind eq 'money') { $add->('m', 'money', '(i * 1.25)::numeric::money') }
	elsif ($kind eq 'bytes') { $add->('b', 'bytea', q{decode(md5(i::text), 'hex')}) }
	elsif ($kind eq 'words') { $add->('w', 'tsvector GENERATED ALWAYS AS (to_tsvector(\'simple\', ' . identifier($table->{pad}) . ')) STORED') }
	elsif ($kind eq 'span') { $add->('span', one_of('interval', 'int4multirange', 'point'), 'NULL') }
	elsif ($kind eq 'kind') { $add->('k', $self->{kind}, "(enum_range(NULL::$self->{kind}))[1 + i % 4]") }
	return;
}

# A column with moments.
sub moment
{
	my ($self, $table) = @_;
	return $table->{at} //= $self->add_column($table, 'at', 'timestamptz', q{timestamptz '2026-01-01 00:00+00' + i * interval '5 hours'});
}

# How a table is partitioned: the key and a list of [suffix, bounds]. A list of lists of these has further levels.
sub partition
{
	my ($self, $table) = @_;
	my ($from, $rows, $id) = ([ 0, $table->{rank} ], $table->{rows}, identifier($table->{id}));
	my @hash = map { [ "_h$_", "WITH (MODULUS 3, REMAINDER $_)" ] } 0 .. 2;
	my $middle = 1 + int($rows / 2);
	my $ranges = sub { my ($at) = @_; return [ '_low', "FROM (MINVALUE) TO ($at)" ], chance(0.5) ? [ '_high', "FROM ($at) TO (MAXVALUE)" ] : [ '_rest', 'DEFAULT' ] };
	my $way = one_of(qw(range_id range_id range_code range_code range_class range_day list_rest list_kind hash_id hash_kind hash_kind hash_class hash_text));
	$table->{keyed} = 1 if $way eq 'range_id' || $way eq 'hash_id';
	if ($way =~ /kind/)
	{
		$table->{partition_kind} = $self->add_column($table, 'k', $self->{kind}, "(enum_range(NULL::$self->{kind}))[1 + i % 4]");
		my $kind = identifier($table->{partition_kind});
		return ("HASH ($kind)", @hash) if $way eq 'hash_kind';
		return ("LIST ($kind)", [ '_low', q{IN ('low', 'middle')} ], [ '_other', 'DEFAULT' ]);
	}
	if ($way =~ /class/)
	{
		my $method = $way eq 'range_class' ? 'btree' : 'hash';
		my $class = $self->operator_class($method, $from, $rows);
		$table->{by_class} = defined $class;
		return $method eq 'btree' ? ("RANGE ($id $class)", $ranges->($middle)) : ("HASH ($id $class)", @hash) if $class;
	}
	return ('RANGE (' . $self->code('int', $from, $rows)->{of}->($id) =~ s/^(?!\()(.*)$/($1)/r . ')', $ranges->($middle * 1000)) if $way eq 'range_code';
	return ("RANGE (($self->{day}(" . identifier(moment($self, $table)) . ')))', $ranges->("'2026-01-05'")) if $way eq 'range_day';
	return ("LIST (($id % 3))", [ '_zero', 'IN (0)' ], [ '_more', 'IN (1, 2)' ]) if $way eq 'list_rest';
	return ('HASH (' . identifier($table->{pad}) . ')', @hash) if $way eq 'hash_text';
	return ("HASH ($id)", @hash) if $way eq 'hash_id';
	return ("RANGE ($id)", $ranges->($middle));
}

sub make_table
{
	my ($self, $table) = @_;
	my $rows = $table->{rows};
	$table->{columns} = [];
	$table->{id} = $self->add_column($table, 'id', 'int NOT NULL', 'i');
	$table->{value} = $self->add_column($table, 'value', 'int' . one_of('', ' DEFAULT 5'), 'i * 7919 % 1000');
	$table->{pad} = $self->add_column($table, 'pad', 'text' . one_of('', ' COLLATE "C"'),
		$table->{width} ? "left(repeat(md5(i::text), " . (1 + int $table->{width} / 32) . "), $table->{width})" : one_of('NULL', "'p' || i"));
	$table->{readable} = [ @$table{qw(id value)} ];
	$table->{parted} = $table->{width} < 1000 && chance(0.3);
	my ($key, @partitions) = $table->{parted} ? $self->partition($table) : ();
	$self->make_column($table, one_of(@column_kinds)) for 1 .. number(0, 6);
	$self->make_column($table, 'generated_late') if chance(0.03);
	my @definitions = map { $_->{definition} } @{ $table->{columns} };
	push @definitions, 'CONSTRAINT ' . identifier($self->new_name('check')) . ' CHECK (' . $self->condition($table) . ')' for 1 .. one_of(0, 0, 0, 1, 1, 2);
	my $is_unlogged = !$table->{parted} && chance(0.05);
	if ((!$table->{parted} || $table->{keyed}) && chance(0.75))
	{
		push @definitions, sprintf 'CONSTRAINT %s PRIMARY KEY (%s)', identifier($self->new_name('key')), identifier($table->{id});
		push @{ $self->{keys} }, $table unless $is_unlogged;
	}
	my $parent = one_of(grep { $_->{may_have_children} } @{ $self->{tables} });
	my $inherits = !$table->{parted} && $parent && chance(0.3);
	if ($inherits)
	{
		@definitions = map { $_->{definition} } @{ $table->{columns} };
		pop @{ $self->{keys} } if @{ $self->{keys} } && $self->{keys}[-1] == $table;
		my %value = ($parent->{id} => '-i', $parent->{value} => 'i % 100', $parent->{pad} => "'of a child'");
		push @{ $table->{columns} }, map { { name => $_, value => $value{$_} } } sort keys %value;
	}
	$table->{may_have_children} = !$inherits && !$table->{parted} && @{ $table->{columns} } == 3;
	$self->emit('CREATE ' . ($is_unlogged ? 'UNLOGGED ' : '') . "TABLE $table->{object} (" . join(', ', @definitions) . ')'
		  . ($inherits ? " INHERITS ($parent->{object})" : '') . ($table->{parted} ? " PARTITION BY $key" : '')
		  . (!$table->{parted} && chance(0.1) ? ' WITH (fillfactor = 70)' : ''));
	$self->make_partitions($table, $table->{object}, $table->{name}, @partitions);
	$self->fill($table);
	$table->{filled} = 1;
	return;
}

# Leaves and, for some of the tables, a level in between.
sub make_partitions
{
	my ($self, $table, $of, $name, @partitions) = @_;
	for my $partition (@partitions)
	{
		my ($suffix, $bounds) = @$partition;
		my $leaf_name = $name . $suffix;
		my $leaf = identifier($table->{schema}) . '.' . identifier($leaf_name);
		my $for = $bounds eq 'DEFAULT' ? 'DEFAULT' : "FOR VALUES $bounds";
		if ($of eq $table->{object} && chance(0.2))
		{
			my $value = identifier($table->{value});
			my $kind = $table->{partition_kind} && !$table->{keyed} && chance(0.5) ? identifier($table->{partition_kind}) : undef;
			my $by = $table->{keyed} ? 'HASH (' . identifier($table->{id}) . ')' : $kind ? "HASH ($kind)" : "LIST (($value % 2))";
			$self->emit("CREATE TABLE $leaf PARTITION OF $of $for PARTITION BY $by");
			$self->make_partitions($table, $leaf, $leaf_name, $by =~ /^HASH/
				? map { [ "_$_", "WITH (MODULUS 2, REMAINDER $_)" ] } 0 .. 1 : ([ '_even', 'IN (0)' ], [ '_odd', 'DEFAULT' ]));
		}
		elsif (chance(0.3))
		{
			# With its columns at other places, one of them dropped.
			$self->emit("CREATE TABLE $leaf (gone int, LIKE $of INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED)",
				"ALTER TABLE $leaf DROP COLUMN gone", "ALTER TABLE $of ATTACH PARTITION $leaf $for");
		}
		else { $self->emit("CREATE TABLE $leaf PARTITION OF $of $for") }
	}
	return;
}

sub fill
{
	my ($self, $table) = @_;
	my @given = grep { defined $_->{value} } @{ $table->{columns} };
	$self->emit(sprintf 'INSERT INTO %s (%s) SELECT %s FROM generate_series(1, %d) i%s', $table->{object},
		join(', ', map { identifier($_->{name}) } @given), join(', ', map { $_->{value} } @given), $table->{rows},
		one_of('', ' ORDER BY i DESC', ' ORDER BY md5(i::text)')) if $table->{rows};
	$self->emit(sprintf 'UPDATE %1$s SET %2$s = %2$s WHERE %3$s %% 7 = 0', $table->{object}, identifier($table->{value}), identifier($table->{id})) if chance(0.2);
	return;
}

# A condition that holds for every row.
sub condition
{
	my ($self, $table) = @_;
	my ($from, $rows, $id) = ([ 0, $table->{rank} ], $table->{rows}, identifier($table->{id}));
	my $way = rand();
	if ($way < 0.15)
	{
		my $other = one_of($self->readable($from, $rows)) or return "$id IS NOT NULL";
		return sprintf q{(query_to_xml(%s, true, true, '')::text ~ 'row')}, literal("SELECT FROM $other->{object}");
	}
	if ($way < 0.3)
	{
		my $other = one_of($self->readable($from, $rows)) or return "$id IS NOT NULL";
		return $self->new_function('bool', $other, volatility => one_of('STABLE', 'VOLATILE')) . "($id)";
	}
	return $self->code('int', $from, $rows)->{of}->($id) . ' >= 0' if $way < 0.45;
	return $self->code('bool', $from, $rows)->{of}->($id);
}

# Indexes and constraints with indexes. They read only tables of a lower rank, or only ones of a higher: no index can be
# built by code that uses it, be it through the index of another table.
sub build_on
{
	my ($self, $table) = @_;
	my ($id, $value, $pad) = map { identifier($table->{$_}) } qw(id value pad);
	my $rows = $table->{rows} * 4;
	my $from = $self->{builds_read_later} ? [ $table->{rank}, 1000 ] : [ 0, $table->{rank} ];
	my $object = $table->{object};
	my $index = sub { return identifier($self->new_name('i')) . " ON $object" };
	my $code = sub { return $self->code($_[0], $from, $rows) };
	my @ways = qw(expression expression partial partial class hash_class hash span overlap text two brin collated included day checked array);
	for my $way (map { one_of(@ways) } 1 .. number(0, 5))
	{
		if ($way eq 'expression')
		{
			my $int = $code->('int');
			my $unique = $int->{unique} && !$table->{parted} && chance(0.4) ? 'UNIQUE ' : '';
			$self->emit("CREATE ${unique}INDEX " . $index->() . ' ((' . $int->{of}->($id) . ')' . one_of('', ' DESC', ' DESC NULLS LAST') . ')');
		}
		elsif ($way eq 'partial') { $self->emit('CREATE INDEX ' . $index->() . " ($value, $pad) WHERE " . $code->('bool')->{of}->($id)) }
		elsif ($way eq 'class')
		{
			my $class = $self->operator_class('btree', $from, $rows) or next;
			$self->emit('CREATE ' . ($table->{parted} ? '' : one_of('', 'UNIQUE ')) . 'INDEX ' . $index->() . " ($id $class)");
		}
		elsif ($way eq 'hash_class')
		{
			my $class = $self->operator_class('hash', $from, $rows) or next;
			$self->emit('CREATE INDEX ' . $index->() . " USING hash ($value $class)");
		}
		elsif ($way eq 'hash') { $self->emit('CREATE INDEX ' . $index->() . ' USING hash ((' . $code->('int')->{of}->($value) . '))') }
		elsif ($way eq 'span') { $self->emit('CREATE INDEX ' . $index->() . ' USING ' . one_of('gist', 'spgist') . ' ((' . $code->('span')->{of}->($id) . '))') }
		elsif ($way eq 'overlap') { $self->emit('CREATE INDEX ' . $index->() . ' USING gist ((' . $code->('span')->{of}->($id) . ') ' . ($self->overlap_class)[0] . ')') }
		elsif ($way eq 'text') { $self->emit('CREATE INDEX ' . $index->() . ' ((' . $code->('text')->{of}->($value) . ') COLLATE "C")') }
		elsif ($way eq 'two') { $self->emit('CREATE INDEX ' . $index->() . " ($value, (" . $code->('int')->{of}->($id) . '), lower(' . "$pad))") }
		elsif ($way eq 'brin') { $self->emit('CREATE INDEX ' . $index->() . " USING brin ((" . $code->('int')->{of}->($id) . ')) WITH (pages_per_range = 4)') }
		elsif ($way eq 'collated') { $self->emit('CREATE INDEX ' . $index->() . " ($pad COLLATE \"POSIX\" text_pattern_ops) WHERE $value > 100") }
		elsif ($way eq 'included') { $self->emit('CREATE INDEX ' . $index->() . " ($id) INCLUDE ($pad) WHERE length($pad) < 2000") }
		elsif ($way eq 'day' && $table->{at}) { $self->emit('CREATE INDEX ' . $index->() . " ($self->{day}(" . identifier($table->{at}) . '))') }
		elsif ($way eq 'checked')
		{
			my $other = one_of($self->readable($from, $rows)) or next;
			$self->emit('CREATE INDEX ' . $index->() . " (($id\::" . $self->domain_over_int($other) . '))');
		}
		elsif ($way eq 'array' && $table->{array}) { $self->emit('CREATE INDEX ' . $index->() . ' USING gin (' . identifier($table->{array}) . ')') }
	}
	$self->emit('CREATE ' . one_of('', 'UNIQUE ') . 'INDEX ' . $index->() . ' USING btree (' . identifier($table->{compared}) . ')') if $table->{compared};
	my $add = sub { return "ALTER TABLE $object ADD CONSTRAINT " . identifier($self->new_name('unique')) };
	if (!$table->{parted})
	{
		$self->emit($add->() . ' UNIQUE NULLS NOT DISTINCT (' . "$value, $id)") if chance(0.15);
		$self->emit($add->() . " UNIQUE ($id) INCLUDE ($value) DEFERRABLE INITIALLY " . one_of('DEFERRED', 'IMMEDIATE')) if chance(0.15);
		$self->exclude($table, $from, $rows) for 1 .. ($table->{rows} <= 300 ? one_of(0, 0, 1, 1, 2) : 0);
	}
	$self->emit('CREATE STATISTICS ' . $self->new_object('st') . ' ON (' . $code->('int')->{of}->($id) . "), $value FROM $object") if chance(0.15);
	$self->emit("ALTER TABLE $object ADD CONSTRAINT " . identifier($self->new_name('later')) . " CHECK ($id <> 0) NOT VALID") if chance(0.1);
	return;
}

sub exclude
{
	my ($self, $table, $from, $rows) = @_;
	my $id = identifier($table->{id});
	my $span = $self->code('span', $from, $rows)->{of}->($id);
	my $way = rand();
	my ($class, $operator) = $self->overlap_class;
	my $what =
	    $way < 0.3 ? "USING gist (($span) WITH &&)"
	  : $way < 0.5 ? "USING gist (($span) $class WITH OPERATOR($operator))"
	  : $way < 0.7 && $self->{has_gist} ? 'USING gist (' . identifier($table->{value}) . " $self->{extensions}.gist_int4_ops WITH =, ($span) WITH &&)"
	  : $way < 0.8 ? 'USING btree ((' . $self->code('int', $from, $rows)->{of}->($id) . ") WITH =, $id WITH =)"
	  : $way < 0.9 ? "USING hash ($id WITH =)"
	  : "USING gist (int4range($id * 10, $id * 10 + 1) WITH &&, ($span) WITH &&)";
	$self->emit("ALTER TABLE $table->{object} ADD CONSTRAINT " . identifier($self->new_name('apart')) . " EXCLUDE $what"
		  . (chance(0.4) ? ' WHERE (' . $self->code('bool', $from, $rows)->{of}->($id) . ')' : '') . one_of('', '', ' DEFERRABLE INITIALLY DEFERRED'));
	return;
}

# Foreign keys: of any table to any, its own and circles included.
sub reference_tables
{
	my ($self) = @_;
	for my $table (@{ $self->{tables} })
	{
		for my $target (map { one_of(@{ $self->{keys} }) } 1 .. one_of(0, 0, 1, 1, 2))
		{
			next unless $target && $target->{rows};
			my $column = identifier($self->new_name('ref'));
			my $id = identifier($table->{id});
			$self->emit("ALTER TABLE $table->{object} ADD COLUMN $column int",
				"UPDATE $table->{object} SET $column = CASE WHEN $id % 5 <> 0 THEN 1 + $id % $target->{rows} END",
				"ALTER TABLE $table->{object} ADD CONSTRAINT " . identifier($self->new_name('fk')) . " FOREIGN KEY ($column) REFERENCES $target->{object}"
				  . one_of('', ' MATCH FULL') . one_of('', ' ON DELETE CASCADE', ' ON DELETE SET NULL', ' ON UPDATE CASCADE')
				  . one_of('', ' DEFERRABLE', ' DEFERRABLE INITIALLY DEFERRED') . ($table->{parted} || chance(0.9) ? '' : ' NOT VALID'));
		}
	}
	return;
}

sub make_views
{
	my ($self) = @_;
	my @sources = map { [ $_->{object}, map({ identifier($_) } @$_{qw(id value)}), $_->{rows} ] } @{ $self->{tables} };
	for (1 .. number(0, 4))
	{
		my ($source, $id, $value, $rows) = @{ one_of(@sources) };
		my $view = $self->new_object('v');
		my $code = $self->code('int', $everywhere, $rows);
		$self->emit("CREATE VIEW $view" . one_of('', ' WITH (security_barrier)') . " AS SELECT $id AS id, $value AS value, " . $code->{of}->($id) . " AS made FROM $source");
		push @sources, [ $view, 'id', 'value', $rows ];
		push @{ $self->{views} }, [ $view, $rows ];
	}
	return;
}

# Materialized views, filled in the order of their names, of which some read earlier ones by a function.
sub make_materialized_views
{
	my ($self) = @_;
	my @views = sort { $a->[0] cmp $b->[0] || $a->[1] cmp $b->[1] } map { [ one_of(@{ $self->{schemas} }), one_of('a' .. 'z') . $self->new_name('m') ] } 1 .. number(0, 4);
	my @filled;
	for my $view (@views)
	{
		my $name = join '.', map { identifier($_) } @$view;
		my $table = one_of(@{ $self->{tables} });
		my ($id, $value) = map { identifier($table->{$_}) } qw(id value);
		my ($rows, $object) = @$table{qw(rows object)};
		my $earlier = one_of(@filled);
		my $from_view = one_of(@{ $self->{views} // [] });
		my $way = rand();
		my $query;
		if ($earlier && $way < 0.3)
		{
			my $function = $self->new_object('sum');
			$self->emit("CREATE FUNCTION $function() RETURNS bigint LANGUAGE plpgsql STABLE AS \$f\$ BEGIN RETURN (SELECT sum(v) FROM $earlier); END \$f\$");
			$query = "SELECT 1 AS k, $function() AS v";
		}
		elsif ($earlier && $way < 0.45) { $query = "SELECT k, sum(v) + 1 AS v FROM $earlier GROUP BY k" }
		elsif ($from_view && $way < 0.6) { $query = "SELECT id AS k, made::bigint AS v FROM $from_view->[0]" }
		elsif ($way < 0.75 && $table->{at})
		{
			my $at = identifier($table->{at});
			$query = "SELECT $at\::date - date '2026-01-01' AS k, count(*) AS v FROM $object GROUP BY 1";
		}
		elsif ($way < 0.85)
		{
			my $function = $self->new_object('rows');
			$self->emit("CREATE FUNCTION $function() RETURNS TABLE (k int, v bigint) LANGUAGE sql STABLE AS \$f\$ SELECT $id, sum($value) FROM $object GROUP BY 1 \$f\$");
			$query = "SELECT * FROM $function()";
		}
		else { $query = "SELECT $id % 7 AS k, sum(" . $self->code('int', $everywhere, $rows)->{of}->($value) . "::bigint) AS v FROM $object GROUP BY 1" }
		my $is_filled = chance(0.85);
		$self->emit("CREATE MATERIALIZED VIEW $name AS $query" . ($is_filled ? '' : ' WITH NO DATA'));
		$self->emit('CREATE INDEX ' . identifier($self->new_name('i')) . " ON $name ((" . $self->code('int', $everywhere, 5000)->{of}->('k') . '))') if chance(0.3);
		push @filled, $name if $is_filled;
	}
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
