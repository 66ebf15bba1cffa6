#!/bin/sh
# A tool in shell: the arguments are JSON on standard input, what it prints is the output.
#   tavus-console run 'sim:?speed=max' examples/tools/hours.tavus --tool 'get_hours=examples/tools/hours.sh'
read -r arguments
case $arguments in
*'"sunday"'*) echo "closed" ;;
*) echo "nine to five" ;;
esac
