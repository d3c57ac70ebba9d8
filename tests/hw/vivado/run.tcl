# run.tcl - run build.tcl against the stand-in: tclsh run.tcl INTERFACES BUILD DESIGN FACTS FOLDER CLOCK_MHZ JOBS
#
# INTERFACES describes our own IP in the words of catalogue.tcl, from its Verilog (tests/hw/test_block_design.py)
source [file dirname [file normalize [info script]]]/stand_in.tcl
set argv [lassign $argv interfaces build]
source $interfaces
source $build
record
