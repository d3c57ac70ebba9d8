#!/bin/sh
# Print why this folder cannot hold the project, if it cannot: Verilator and the makefiles that it writes break paths up at
# these characters, and say so after minutes, in thousands of characters. The others were tried.
refused='[[:space:]$'\''"`:;=#&|<>()\\]'
path=$(pwd -P && echo .)  # the dot saves a newline at the end
path=${path%??}
before=${path%%$refused*}
[ "$before" = "$path" ] && exit
rest=${path#"$before"}
printf '%s\n' "this folder's path has the character '${rest%"${rest#?}"}' in it, with which Verilator and make do not work: \
$path. Remedy: move the project to a path of letters, digits and - _ . / alone, then run make again"
