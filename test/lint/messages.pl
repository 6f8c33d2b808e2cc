#!/usr/bin/env perl
# Prints the messages of the errors that the sources given can raise, once each and one a line, as
# FILE:LINE<tab>MESSAGE. Whatever is put in at run time is "…". Defects of our own (kInternal) are left
# out, and so is what has no words of its own.
#
# With --compare FILE it prints instead which of them are not in FILE, and which of FILE are not theirs,
# and fails if there are any. In FILE, messages are the code in the first column of tables.
use strict;
use warnings;
use utf8;
binmode STDOUT, ':encoding(UTF-8)';

sub slurp {
  my ($file) = @_;
  open my $stream, '<:encoding(UTF-8)', $file or die "$file: $!\n";
  local $/;
  return scalar <$stream>;
}

# The C++ expression at the start of a text, up to the comma or bracket behind it, in pieces: texts,
# and the signs between them with their depth.
sub expression {
  my ($text) = @_;
  my ($depth, @pieces) = (0);
  $text =~ s/^\s*ToValidUtf8\(//;
  while ($text =~ /\G(?:R"\((.*?)\)"|"((?:[^"\\]|\\.)*)"|('(?:[^'\\]|\\.)')|(\w+|\s+|::|.))/gs) {
    my $words = $1 // $2;
    if (defined $words) { push @pieces, [$depth, 'text', $words]; next }
    my $sign = $3 // $4;
    if ($sign =~ /^[)}\]]$/ && --$depth < 0) { last }
    if ($sign =~ /^[,;]$/ && $depth == 0) { last }
    push @pieces, [$depth, 'sign', $sign] unless $sign =~ /^\s/;
    if ($sign =~ /^[({\[]$/) { $depth++ }
  }
  return @pieces;
}

# The messages that an expression can give: one, or one for each way of a choice.
sub messages_of {
  my (@pieces) = @_;
  my ($asked) = grep { $pieces[$_][0] == 0 && $pieces[$_][2] eq '?' && $pieces[$_][1] eq 'sign' } 0 .. $#pieces;
  if (defined $asked) {
    my ($open, $other) = (0);
    for ($asked + 1 .. $#pieces) {
      next if $pieces[$_][0] || $pieces[$_][1] ne 'sign';
      $open++ if $pieces[$_][2] eq '?';
      if ($pieces[$_][2] eq ':' && !$open--) { $other = $_; last }
    }
    return (messages_of(@pieces[$asked + 1 .. $other - 1]), messages_of(@pieces[$other + 1 .. $#pieces]))
      if defined $other;
  }
  # A call takes part with its first text where it is fmt::format, and as a whole is unknown otherwise.
  my ($words, $formats) = ('', 0);
  for my $i (0 .. $#pieces) {
    my ($depth, $what, $piece) = @{ $pieces[$i] };
    $formats = 1 if $depth == 0 && $piece =~ /^(?:format|string)$/;
    if ($depth > 0 && !$formats) { next }
    if ($depth > 1 || ($depth == 1 && $formats == 2)) { next }
    if ($depth == 1 && $piece eq ',') { $formats = 2; next }
    $formats = 0 if $depth == 0 && $piece =~ /^[)+]$/;
    if ($what eq 'text') { $words .= $piece }
    elsif ($piece =~ /INT64_FORMAT/) { $words .= "\0" }
    elsif ($depth <= 1 && $piece =~ /^\w/ && $piece !~ /^(?:fmt|format|std|string)$/) { $words .= "\0" }
  }
  return plain($words);
}

sub plain {
  my ($words) = @_;
  $words =~ s/\\n/ /g;
  $words =~ s/\\(.)/$1/g;
  $words =~ s/%(?:\d+\$)?[-+0#]*(?:\d+|\*)?(?:\.(?:\d+|\*))?(?:ll|l|z|h)?[a-zA-Z]/\0/g;
  $words =~ s/%%/%/g;
  $words =~ s/\{[\w:.]*\}/\0/g;
  $words =~ s/^\0+(?=\pL)//;    # what begins elsewhere: "could not read …: " + …
  $words =~ s/\0+/…/g;
  $words =~ s/\s+/ /g;
  $words =~ s/^ | $//g;
  return $words;
}

sub found_in {
  my ($file) = @_;
  my $text = slurp($file);
  my @found;
  if ($file =~ /\.sql$/) {
    while ($text =~ /RAISE\s+(?:EXCEPTION\s+)?'((?:[^']|'')*)'/g) {
      my ($at, $words) = ($-[0], $1);
      $words =~ s/''/'/g;
      $words =~ s/%/\0/g;
      push @found, [$at, plain($words)];
    }
  } else {
    $text =~ s{^[^\S\n]*//.*$}{}gm;
    while ($text =~ /\bErrorKind::(k\w+)\s*,\s*|\b(?:Error\s*\w*[({]|return\s*\{)\s*\w*[kK]ind\w*(?:\([^()]*\))?\s*,\s*/g) {
      next if ($1 // '') eq 'kInternal';
      my ($at, $end) = ($-[0], $+[0]);
      push @found, [$at, $_] for messages_of(expression(substr($text, $end, 2000)));
    }
    while ($text =~ /\bereport\(\s*ERROR\b(?:(?!ereport).){0,300}?\berrmsg\(/gs) {
      my ($at, $end) = ($-[0], $+[0]);
      my ($format, @rest) = expression(substr($text, $end, 2000));
      my $words = '';
      for ($format, @rest) { $words .= $_->[1] eq 'text' ? $_->[2] : /INT64/ || $_->[2] =~ /INT64/ ? "\0" : '' }
      push @found, [$at, plain($words)];
    }
  }
  return map { [sprintf('%s:%d', $file, 1 + (substr($text, 0, $_->[0]) =~ tr/\n//)), $_->[1]] } @found;
}

my $documented = @ARGV && $ARGV[0] eq '--compare' ? (splice @ARGV, 0, 2)[1] : undef;
my (%place, @messages);
for (map { found_in($_) } @ARGV) {
  my ($place, $message) = @$_;
  next if $message !~ /\pL\pL/ || $place{$message};
  $place{$message} = $place;
  push @messages, $message;
}
if (!defined $documented) {
  print "$place{$_}\t$_\n" for @messages;
  exit 0;
}
my %known;
for my $row (slurp($documented) =~ /^\|(.*?)(?<!\\)\|/gm) {
  $known{$_} = 1 for map { s/\\\|/|/gr } $row =~ /`([^`]+)`/g;
}
my @missing = grep { !$known{$_} } @messages;
my @stale = grep { !$place{$_} } sort keys %known;
print "$place{$_}: not in $documented: `$_`\n" for @missing;
print "$documented: no source raises `$_`\n" for @stale;
exit(@missing + @stale > 0);
