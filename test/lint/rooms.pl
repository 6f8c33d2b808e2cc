#!/usr/bin/env perl
# Prints the rooms of src, as the #include lines have them: a line each, the highest first, with what it stands on: the rooms that it
# includes and reaches through no other one.
#
# Fails when rooms depend on each other in a circle, when src/shared includes anything else of ours, and when src/pg includes
# anything but src/shared. With --compare FILE it prints nothing else, and fails also when FILE does not have these lines.
use strict;
use warnings;

sub slurp {
  my ($file) = @_;
  open my $stream, '<', $file or die "$file: $!\n";
  local $/;
  return scalar <$stream>;
}

# src/shared is one room, whatever folders it has: all of it is compiled into the server.
sub room_of {
  my ($path) = @_;
  my $room = $path =~ s{/[^/]*$}{}r;
  return $room =~ s{^shared/.*}{shared}r;
}

# Of each room, the rooms that it includes, each with a line that does.
sub read_rooms {
  my %rooms;
  for my $file (map { glob } map { my $depth = $_; map { "src" . "/*" x $depth . ".$_" } 'h', 'cpp' } 1 .. 5) {
    my $path = $file =~ s{^src/}{}r;
    my $room = room_of($path);
    $rooms{$room} //= {};
    for my $included (slurp($file) =~ /^#include "([^"]+)"/gm) {
      next unless -e "src/$included";  # of PostgreSQL
      my $other = room_of($included);
      $rooms{$room}{$other} //= "$file: includes $included" if $other ne $room;
    }
  }
  return \%rooms;
}

# A way from one room to another, as the rooms on it behind the first, or nothing.
sub way {
  my ($rooms, $from, $to, $seen) = @_;
  return if $seen->{$from}++;
  for my $next (sort keys %{ $rooms->{$from} }) {
    return ($next) if $next eq $to;
    if (my @rest = way($rooms, $next, $to, $seen)) { return ($next, @rest) }
  }
  return;
}

sub circles {
  my ($rooms) = @_;
  my (@wrong, %told);
  for my $room (sort keys %$rooms) {
    next if $told{$room};
    my @circle = way($rooms, $room, $room, {}) or next;
    my $from = $room;
    my @lines = map { my $line = $rooms->{$from}{$_}; $from = $_; $line } @circle;
    $told{$_} = 1 for @circle;
    push @wrong, join("\n  ", 'a circle: ' . join(' -> ', $room, @circle), @lines);
  }
  return @wrong;
}

sub trespasses {
  my ($rooms) = @_;
  return map { my $room = $_; map { "$rooms->{$room}{$_}, which $room must not" } sort grep { $_ ne 'shared' } keys %{ $rooms->{$room} } } 'shared', 'pg';
}

# How many rooms lie one below the other under it.
sub height {
  my ($rooms, $room, $known) = @_;
  return $known->{$room} //= (sort { $b <=> $a } 0, map { 1 + height($rooms, $_, $known) } keys %{ $rooms->{$room} })[0];
}

sub drawing {
  my ($rooms) = @_;
  my %heights;
  my $drawing = '';
  for my $room (sort { height($rooms, $b, \%heights) <=> height($rooms, $a, \%heights) || $a cmp $b } keys %$rooms) {
    my @direct = grep {
      my $other = $_;
      !grep { $_ ne $other && way($rooms, $_, $other, {}) } keys %{ $rooms->{$room} }
    } sort keys %{ $rooms->{$room} };
    $drawing .= sprintf("%-24s %s", $room, join ' ', @direct) =~ s/ +$//r . "\n";
  }
  return $drawing;
}

my ($option, $file) = @ARGV;
my $rooms = read_rooms();
die "there are no sources in src\n" unless %$rooms;
my @wrong = (circles($rooms), trespasses($rooms));
die map { "$_\n" } @wrong if @wrong;
my $drawing = drawing($rooms);
if (($option // '') eq '--compare') {
  die "$file does not show the rooms as they are, which test/lint/rooms.pl prints\n" if index(slurp($file), $drawing) < 0;
  exit;
}
print $drawing;
