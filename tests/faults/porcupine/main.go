// Checks histories of tests/faults with Porcupine: is what clients saw of each record explained by a
// single register that changes in one moment per operation?
//
//	go run . history.jsonl...
//
// The model of a record: rev 0 is absent. A create makes rev 1; a cancel or retry of rev n succeeds if
// and only if the record is at n, and makes n+1; a get returns the rev. What was never resolved may have
// happened at any time after it began, or not at all.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/anishathalye/porcupine"
)

type line struct {
	Op       int    `json:"op"`
	Type     string `json:"type"`
	Client   int    `json:"client"`
	Function string `json:"f"`
	Record   string `json:"record"`
	Rev      int    `json:"rev"`
	TimeNs   int64  `json:"time_ns"`
}

type input struct {
	record   string
	function string
	rev      int
}

type output struct {
	known bool
	ok    bool
	rev   int
}

// readHistory turns the lines of a file into operations.
func readHistory(path string) ([]porcupine.Operation, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var operations []porcupine.Operation
	byOp := map[int]int{}
	scanner := bufio.NewScanner(file)
	scanner.Buffer(make([]byte, 1<<20), 1<<24)
	for scanner.Scan() {
		var l line
		if err := json.Unmarshal(scanner.Bytes(), &l); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		switch l.Type {
		case "invoke":
			byOp[l.Op] = len(operations)
			operations = append(operations, porcupine.Operation{
				ClientId: l.Client, Input: input{l.Record, l.Function, l.Rev},
				Call: l.TimeNs, Output: output{}, Return: math.MaxInt64})
		case "ok", "fail":
			operation := &operations[byOp[l.Op]]
			operation.Output = output{known: true, ok: l.Type == "ok", rev: l.Rev}
			operation.Return = l.TimeNs
		}
	}
	return operations, scanner.Err()
}

func partition(history []porcupine.Operation) [][]porcupine.Operation {
	byRecord := map[string][]porcupine.Operation{}
	for _, operation := range history {
		record := operation.Input.(input).record
		byRecord[record] = append(byRecord[record], operation)
	}
	var parts [][]porcupine.Operation
	for _, part := range byRecord {
		parts = append(parts, part)
	}
	return parts
}

// step says whether a record at rev `state` explains the output, and its rev afterwards.
func step(state, in, out any) (bool, any) {
	rev, asked, told := state.(int), in.(input), out.(output)
	if asked.function == "get" {
		return !told.known || told.rev == rev, rev
	}
	matches := asked.rev == rev // of a create 0: absent
	switch {
	case !told.known && matches:
		// Not at all is explained as well: Porcupine may order it after everything else.
		return true, rev + 1
	case !told.known:
		return true, rev
	case told.ok:
		return matches && told.rev == rev+1, rev + 1
	default:
		return !matches, rev
	}
}

var record = porcupine.Model{
	Partition: partition,
	Init:      func() any { return 0 },
	Step:      step,
	DescribeOperation: func(in, out any) string {
		return fmt.Sprintf("%+v -> %+v", in, out)
	},
}

func main() {
	failed := len(os.Args) < 2
	for _, path := range os.Args[1:] {
		operations, err := readHistory(path)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		begun := time.Now()
		result := porcupine.CheckOperationsTimeout(record, operations, 10*time.Minute)
		fmt.Printf("%s: %d operations on %d records: %s (%.1f s)\n", path, len(operations),
			len(partition(operations)), result, time.Since(begun).Seconds())
		failed = failed || result != porcupine.Ok
	}
	if failed {
		os.Exit(1)
	}
}
