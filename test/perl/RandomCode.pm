# Code of a random database that reads its tables: functions, and what leads to them: operators, operator classes,
# casts, domains, types. RandomTables and RandomBuilds make what calls it.
#
# Tables have ranks: the order in which pg_dump stores their rows. What is evaluated while the rows of a table are
# loaded reads only tables of a lower rank, for then PostgreSQL's own programs can restore it.
package RandomCode;

use strict;
use warnings;

use Exporter 'import';

our @EXPORT = qw(chance one_of number identifier literal $everywhere);

# Between these are the ranks of all tables.
our $everywhere = [ 0, 1000 ];

sub chance { my ($probability) = @_; return rand() < $probability }

sub one_of { return $_[ int rand @_ ] }

sub number { my ($from, $to) = @_; return $from + int rand($to - $from + 1) }

sub identifier { my ($name) = @_; return '"' . ($name =~ s/"/""/gr) . '"' }

sub literal { my ($text) = @_; return ($text =~ /\\/ ? 'E' : '') . "'" . ($text =~ s/([\\'])/$1$1/gr) . "'" }

my @odd = (
	'%s %s', '%s"%s', "%s'%s", '%s.%s', '%s-%s', "%s\xc3\xbc%s", '%s\\%s', '%s$%s', '%s%%%s', '%s,%s', '%s(%s)',
	"%s\xe2\x82\xac%s", '%s|%s', '%s;%s', '%s:%s', '%s{%s}', '%sSELECT%s', '%s@%s', "%s\t%s");

# A name that is not yet taken in the database, often an odd one.
sub new_name
{
	my ($self, $what) = @_;
	my $number = ++$self->{names};
	return one_of("$what$number", "${what}_$number", "${what}_$number", uc($what) . $number) if chance(0.7);
	return sprintf one_of(@odd), $what, $number;
}

sub emit
{
	my ($self, @statements) = @_;
	push @{ $self->{statements} }, @statements;
	return;
}

# What only superusers create, given to the owner of everything.
sub emit_as_superuser
{
	my ($self, $statement, @objects) = @_;
	my $role = $self->{owner};
	$self->emit($role ? ('RESET ROLE', $statement, (map { "ALTER $_ OWNER TO $role" } @objects), "SET ROLE $role") : $statement);
	return;
}

# A new object in one of the schemas: its quoted name.
sub new_object
{
	my ($self, $what) = @_;
	return one_of(map { identifier($_) } @{ $self->{schemas} }) . '.' . identifier($self->new_name($what));
}

sub new_operator
{
	my ($self) = @_;
	my $name;
	do { $name = join '', map { one_of(split //, '#@%&?~!') } 1 .. number(2, 4) } while $self->{operators}{$name}++;
	return one_of(map { identifier($_) } @{ $self->{schemas} }) . ".$name";
}

# Tables whose ranks are between two others and whose rows can be read for each of so many rows. To read one that is
# partitioned by a class of the database runs its code, which reads others.
sub readable
{
	my ($self, $from, $rows) = @_;
	my $most = 200_000 / ($rows || 1);
	return grep { $_->{rank} > $from->[0] && $_->{rank} < $from->[1] && ($from->[0] == 0 || !$_->{by_class}) && $_->{filled} && $_->{rows} > 0 && $_->{rows} <= $most } @{ $self->{tables} };
}

my %arguments = (comparison => 'int, int', extended => 'int, bigint');
my %result = (int => 'int', bool => 'bool', span => 'int4range', text => 'text', comparison => 'int', hash => 'int', extended => 'bigint');

# A function of an integer that reads the table; $1 stands for the integer.
sub new_function
{
	my ($self, $type, $table, %options) = @_;
	my $argument = $options{argument} // '$1';
	my $column = identifier(one_of(@{ $table->{readable} }));
	my ($schema, $name) = map { identifier($table->{$_}) } qw(schema name);
	my $has_path = chance(0.3);
	# Not what inherits from it: that may be the table whose index is built.
	my $from = sprintf '%s%s WHERE %s = 1 + abs(%s) %% %d', $table->{may_have_children} ? 'ONLY ' : '', $has_path ? $name : "$schema.$name", identifier($table->{id}),
	  $argument, $table->{rows} < 10 ? $table->{rows} : 10;
	my %query = (
		int => "SELECT abs($argument) % 100000 * 1000 + abs($column) % 1000 FROM $from",
		bool => "SELECT EXISTS (SELECT FROM $from)",
		span => "SELECT int4range(10 * $argument, 10 * $argument + abs($column) % 7 + 1) FROM $from",
		text => "SELECT 'k' || abs($column) % 1000 || '-' || $argument FROM $from",
		comparison => "SELECT CASE WHEN EXISTS (SELECT FROM $from) THEN btint4cmp(\$1, \$2) ELSE 0 END",
		hash => "SELECT hashint4($argument) + 0 * abs($column) FROM $from",
		extended => "SELECT hashint4extended(\$1, \$2) + 0 * abs($column) FROM $from");
	my $query = $query{$type};
	my $function = $self->new_object('f');
	my $takes = $options{takes} // $arguments{$type} // 'int';
	my @words = ('CREATE FUNCTION', "$function($takes)", "RETURNS $result{$type}", $options{volatility} // 'IMMUTABLE');
	push @words, 'PARALLEL SAFE' if chance(0.3);
	push @words, 'STRICT' if chance(0.2);
	push @words, 'COST ' . number(1, 1000) if chance(0.1);
	push @words, "SET search_path = $schema" . one_of('', ', pg_temp', ', pg_catalog, pg_temp') if $has_path;
	my $language = one_of('sql', 'sql', 'plpgsql', 'plpgsql', 'dynamic', $has_path || !$self->{has_atomic} ? 'sql' : 'atomic');
	# When a table is created that calls a function in SQL, what that calls is looked at, too, unless it cannot be
	# inlined. It need not be there yet.
	push @words, 'SECURITY DEFINER' if chance(0.1) || $language eq 'sql' && !$has_path;
	push @words, $language eq 'sql' ? "LANGUAGE sql AS \$f\$ $query \$f\$"
	  : $language eq 'plpgsql' ? "LANGUAGE plpgsql AS \$f\$ BEGIN RETURN ($query); END \$f\$"
	  : $language eq 'atomic' ? (chance(0.5) ? "LANGUAGE sql BEGIN ATOMIC $query; END" : "LANGUAGE sql RETURN ($query)")
	  : sprintf q{LANGUAGE plpgsql AS $f$ DECLARE r %s; BEGIN EXECUTE %s INTO r USING %s; RETURN r; END $f$},
	  $result{$type}, literal($query =~ s/\Q$argument\E(?!\d)/\$1/gr), $arguments{$type} ? '$1, $2' : $argument;
	$self->emit(join ' ', @words);
	return $function;
}

# Ways from an expression of type int to code that reads tables of a lower rank. Returns a hash: of => a sub that
# makes an expression of another one, unique => different values give different results.
# Where no table can be read, it is code that reads none.
sub code
{
	my ($self, $type, $from, $rows) = @_;
	my @known = grep { $_->{rank} > $from->[0] && $_->{rank} < $from->[1] && ($from->[0] == 0 || !$_->{by_class}) && $_->{cost} * $rows <= 200_000 } @{ $self->{code}{$type} };
	return one_of(@known) if @known && chance(0.4);
	my $table = one_of($self->readable($from, $rows));
	if (!$table)
	{
		my %without = (
			int => sub { "(abs($_[0]) % 100000 * 1000)" },
			bool => sub { "($_[0] IS NOT NULL)" },
			span => sub { "int4range(10 * $_[0], 10 * $_[0] + 1)" },
			text => sub { "('k' || $_[0])" });
		return { of => $without{$type}, unique => 1, rank => -1, cost => 0 };
	}
	my $code = { rank => $table->{rank}, by_class => $table->{by_class}, cost => $table->{rows}, unique => 1 };
	my $way = rand();
	if ($type eq 'int' && $way < 0.15 && !$self->{has_atomic})
	{
		my $type_name = $self->new_object('pair');
		$self->emit("CREATE TYPE $type_name AS (n int, m text)");
		my $function = $self->new_function('int', $table, takes => $type_name, argument => '($1).n');
		$self->emit("CREATE CAST ($type_name AS int) WITH FUNCTION $function($type_name)" . one_of('', ' AS ASSIGNMENT', ' AS IMPLICIT'));
		$code->{of} = sub { "((ROW($_[0], 'x')::$type_name)::int)" };
	}
	elsif ($type eq 'bool' && $way < 0.15)
	{
		my $domain = $self->domain_over_int($table);
		$code->{of} = sub { "(($_[0])::$domain IS NOT NULL)" };
	}
	elsif ($way < 0.35)
	{
		my $function = $self->new_function($type, $table);
		my $operator = $self->new_operator;
		$self->emit("CREATE OPERATOR $operator (RIGHTARG = int, FUNCTION = $function)");
		$code->{of} = sub { "(OPERATOR($operator) ($_[0]))" };
	}
	elsif ($way < 0.5)
	{
		my $inner = $self->new_function($type, $table);
		my $function = $self->new_object('outer');
		$self->emit("CREATE FUNCTION $function(int) RETURNS $result{$type} LANGUAGE "
			  . one_of("sql IMMUTABLE SECURITY DEFINER AS \$f\$ SELECT $inner(\$1) \$f\$", "plpgsql IMMUTABLE AS \$f\$ BEGIN RETURN $inner(\$1); END \$f\$",
				"sql IMMUTABLE RETURN $inner(\$1)"));
		$code->{of} = sub { "$function($_[0])" };
	}
	elsif ($type eq 'int' && $way < 0.6)
	{
		my $function = $self->new_function($type, $table);
		$code->{of} = sub { "(CASE WHEN $_[0] > 2 THEN $function($_[0]) ELSE $_[0] END)" };
		$code->{unique} = 0;
	}
	else
	{
		my $function = $self->new_function($type, $table);
		$code->{of} = sub { "$function($_[0])" };
	}
	push @{ $self->{code}{$type} }, $code;
	return $code;
}

sub domain_over_int
{
	my ($self, $table) = @_;
	my $function = $self->new_function('bool', $table);
	my $domain = $self->new_object('d');
	$self->emit("CREATE DOMAIN $domain AS int CONSTRAINT " . identifier($self->new_name('c')) . " CHECK (VALUE IS NULL OR $function(VALUE))");
	return $domain;
}

# A column's type that checks its values, and an expression of i that gives one: [type, expression].
sub checked_type
{
	my ($self, $from, $rows) = @_;
	my $table = one_of($self->readable($from, $rows * 2)) or return [ 'int', 'i' ];
	my $way = rand();
	if ($way < 0.2)
	{
		my $domain = $self->new_object('d');
		my $function = $self->new_function('bool', $table);
		$self->emit("CREATE DOMAIN $domain AS int[] CHECK ($function(VALUE[1])) CHECK (array_length(VALUE, 1) = 2)");
		return [ $domain, 'ARRAY[i, i + 1]' ];
	}
	my $over_int = $self->domain_over_int($table);
	return [ "$over_int\[]", 'ARRAY[i, NULL, i + 1]' ] if $way < 0.35;
	if ($way < 0.55)
	{
		my $type = $self->new_object('row');
		$self->emit("CREATE TYPE $type AS (n $over_int, m text)");
		return [ $type, "ROW(i, 'm')::$type" ] if chance(0.5);
		my $domain = $self->new_object('d');
		$self->emit("CREATE DOMAIN $domain AS $type CHECK ((VALUE).n IS NOT NULL)");
		return [ $domain, "ROW(i, 'm')::$domain" ];
	}
	if ($way < 0.7)
	{
		my $domain = $self->new_object('d');
		$self->emit("CREATE DOMAIN $domain AS $over_int DEFAULT 3 NOT NULL");
		return [ $domain, 'i' ];
	}
	if ($way < 0.8)
	{
		my $type = $self->new_object('r');
		$self->emit("CREATE TYPE $type AS RANGE (SUBTYPE = $over_int)");
		return [ $type, "$type(i, i + 1)" ];
	}
	return [ $over_int, 'i' ];
}

# An operator class for type int that reads a table; undef where there is none.
sub operator_class
{
	my ($self, $method, $from, $rows) = @_;
	# Values are compared far more often than once for each row.
	return if $rows > 1000;
	my $table = one_of($self->readable($from, $rows * 5)) or return;
	my $function = $self->new_function($method eq 'btree' ? 'comparison' : 'hash', $table);
	my $extended = $method eq 'hash' ? $self->new_function('extended', $table) : '';
	my $class = $self->new_object('oc');
	$self->emit_as_superuser("CREATE OPERATOR CLASS $class FOR TYPE int USING $method AS "
		  . ($method eq 'btree'
			? "OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 $function(int, int)"
			: "OPERATOR 1 =, FUNCTION 1 $function(int), FUNCTION 2 $extended(int, bigint)"), map { "OPERATOR $_ $class USING $method" } qw(CLASS FAMILY));
	return $class;
}

# A composite type (n int) whose default operator classes read a table.
sub compared_type
{
	my ($self, $from, $rows) = @_;
	return if $rows > 1000;
	my $table = one_of($self->readable($from, $rows * 5)) or return;
	my $type = $self->new_object('cmp');
	$self->emit("CREATE TYPE $type AS (n int)");
	my ($compare, $hash) = map { $self->new_function($_, $table) } qw(comparison hash);
	my %functions = ('<' => '<', '<=' => '<=', '=' => '=', '>=' => '>=', '>' => '>');
	my ($schema) = $type =~ /^("(?:[^"]|"")*")\./;
	my %details = (
		'<' => 'COMMUTATOR = >', '<=' => 'COMMUTATOR = >=', '=' => 'COMMUTATOR = =, HASHES, MERGES', '>=' => 'COMMUTATOR = <=', '>' => 'COMMUTATOR = <');
	$details{$_} =~ s/COMMUTATOR = (\S+?)(,|$)/COMMUTATOR = OPERATOR($schema.$1)$2/ for keys %details;
	for my $operator (qw(< <= = >= >))
	{
		my $function = $self->new_object('op');
		$self->emit("CREATE FUNCTION $function($type, $type) RETURNS bool LANGUAGE sql IMMUTABLE SECURITY DEFINER AS \$f\$ SELECT $compare((\$1).n, (\$2).n) $operator 0 \$f\$",
			"CREATE OPERATOR $schema.$operator (LEFTARG = $type, RIGHTARG = $type, FUNCTION = $function, $details{$operator})");
	}
	my ($compare_rows, $hash_row) = map { $self->new_object($_) } qw(cmp hash);
	$self->emit("CREATE FUNCTION $compare_rows($type, $type) RETURNS int LANGUAGE plpgsql IMMUTABLE AS \$f\$ BEGIN RETURN $compare((\$1).n, (\$2).n); END \$f\$",
		"CREATE FUNCTION $hash_row($type) RETURNS int LANGUAGE sql IMMUTABLE SECURITY DEFINER AS \$f\$ SELECT $hash((\$1).n) \$f\$");
	my ($btree, $hash_class) = map { $self->new_object('oc') } 1 .. 2;
	my $name = sub { "OPERATOR($schema.$_[0])" };
	$self->emit_as_superuser("CREATE OPERATOR CLASS $btree DEFAULT FOR TYPE $type USING btree AS "
		  . join(', ', map { "OPERATOR $_ $schema." . (qw(< <= = >= >))[ $_ - 1 ] } 1 .. 5)
		  . ", FUNCTION 1 $compare_rows($type, $type)", map { "OPERATOR $_ $btree USING btree" } qw(CLASS FAMILY));
	$self->emit_as_superuser("CREATE OPERATOR CLASS $hash_class DEFAULT FOR TYPE $type USING hash AS OPERATOR 1 $schema.=, FUNCTION 1 $hash_row($type)",
		map { "OPERATOR $_ $hash_class USING hash" } qw(CLASS FAMILY));
	return $type;
}

# An operator class of GiST for ranges whose operator && is one of the database's own.
sub overlap_class
{
	my ($self) = @_;
	return @{ $self->{overlap} } if $self->{overlap};
	my $function = $self->new_object('overlaps');
	my $operator = $self->new_operator;
	my $class = $self->new_object('oc');
	$self->emit("CREATE FUNCTION $function(anyrange, anyrange) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS \$f\$ BEGIN RETURN \$1 && \$2; END \$f\$",
		"CREATE OPERATOR $operator (LEFTARG = anyrange, RIGHTARG = anyrange, FUNCTION = $function, COMMUTATOR = OPERATOR($operator))");
	$self->emit_as_superuser("CREATE OPERATOR CLASS $class FOR TYPE anyrange USING gist AS OPERATOR 3 $operator, "
		  . 'FUNCTION 1 range_gist_consistent(internal, anyrange, smallint, oid, internal), FUNCTION 2 range_gist_union(internal, internal), '
		  . 'FUNCTION 5 range_gist_penalty(internal, internal, internal), FUNCTION 6 range_gist_picksplit(internal, internal), '
		  . 'FUNCTION 7 range_gist_same(anyrange, anyrange, internal)', map { "OPERATOR $_ $class USING gist" } qw(CLASS FAMILY));
	$self->{overlap} = [ $class, $operator ];
	return ($class, $operator);
}

1;
