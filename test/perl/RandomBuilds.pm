# What a random database has over its tables: indexes, constraints, views, materialized views.
package RandomBuilds;

use strict;
use warnings;

use parent -norequire, 'RandomCode';

use RandomCode;

# Indexes and constraints with indexes. They read only tables of a lower rank, or only ones of a higher: no index can be
# built by code that uses it, be it through the index of another table.
sub build_on
{
	my ($self, $table) = @_;
	my ($id, $value, $pad) = map { identifier($table->{$_}) } qw(id value pad);
	my $rows = $table->{rows};
	my $from = $self->{builds_read_later} ? [ $table->{rank}, 1000 ] : [ 0, $table->{rank} ];
	my $object = $table->{object};
	my $index = sub { return identifier($self->new_name('i')) . " ON $object" };
	my $code = sub { return $self->code($_[0], $from, $rows) };
	my @ways = qw(expression expression partial partial class hash_class hash span overlap text two brin collated included day checked array);
	for my $way (map { one_of(@ways) } 1 .. ($table->{is_large} ? number(2, 5) : number(0, 4)))
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

1;
