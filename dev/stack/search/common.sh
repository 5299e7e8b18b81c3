# Sourced by the scripts beside it.
# shellcheck shell=bash disable=SC2034 # the scripts use the variables
#   A4C_STACK_SEARCH=elasticsearch-1 (one node), elasticsearch (three nodes) or opensearch (one node)
PART=${A4C_STACK_SEARCH:-elasticsearch-1}
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
case $PART in
  elasticsearch-1) engine=elasticsearch nodes=1 offset=10 ;;
  elasticsearch) engine=elasticsearch nodes=3 offset=12 ;;
  opensearch) engine=opensearch nodes=1 offset=18 ;;
  *) die "A4C_STACK_SEARCH is elasticsearch-1, elasticsearch or opensearch, not $PART" ;;
esac
root=$A4C_STACK_DIR/$PART
jars=$A4C_STACK_DIR/jars/$engine
home=$A4C_STACK_DIR/jars/$engine-home
