# Tables of a random database and their rows: columns, constraints, partitions. RandomCode gives what they evaluate.
package RandomTables;

use strict;
use warnings;

use parent -norequire, 'RandomCode';

use RandomCode;

# Which tables there will be: their names, which are their order, and how many rows they have.
sub plan_tables
{
	my ($self) = @_;
	my %taken;
	# One with so many bytes that its indexes are built while others are loaded.
	my $large = chance(0.25) ? number(1, 4) : -1;
	for my $i (1 .. number(4, 10))
	{
		my $start;
		do { $start = join '', map { one_of('a' .. 'z') } 1 .. 3 } while $taken{$start}++;
		$start = ucfirst $start if chance(0.2);
		push @{ $self->{tables} }, {
			is_large => $i == $large, schema => one_of(@{ $self->{schemas} }), name => $start . $self->new_name('t'),
			rows => $i == $large ? 5800 : one_of(0, 3, number(4, 9), number(10, 30), number(10, 30), number(10, 40), number(100, 400), number(1500, 2500)),
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
		# It may read a table whose rows are loaded later: pg_restore then makes it NULL.
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

# The column of points in time, which is made when it is first asked for.
sub moment
{
	my ($self, $table) = @_;
	return $table->{at} //= $self->add_column($table, 'at', 'timestamptz', q{timestamptz '2026-01-01 00:00+00' + i * interval '5 hours'});
}

# How a table is partitioned: the key, and [suffix of the name, bounds] of each partition.
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

1;
