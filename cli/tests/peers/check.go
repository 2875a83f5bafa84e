// Reads a log's public key, a checkpoint and a proof, and checks them with golang.org/x/mod.
// Arguments: the files of the key, the checkpoint and the proof.
package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Println("refused:", err)
		os.Exit(1)
	}
	return value
}

func hash(text string) (h tlog.Hash) {
	bytes := must(base64.StdEncoding.DecodeString(text))
	if copy(h[:], bytes) != 32 || len(bytes) != 32 {
		must(0, fmt.Errorf("%q is no hash", text))
	}
	return h
}

// Opens a checkpoint and returns its size and root.
func open(text string, key note.Verifier) (int64, tlog.Hash) {
	opened := must(note.Open([]byte(text), note.VerifierList(key)))
	lines := strings.Split(opened.Text, "\n")
	return must(strconv.ParseInt(lines[1], 10, 64)), hash(lines[2])
}

func main() {
	read := func(name string) string { return string(must(os.ReadFile(name))) }
	key := must(note.NewVerifier(strings.TrimSpace(read(os.Args[1]))))
	size, root := open(read(os.Args[2]), key)

	head, checkpoint, _ := strings.Cut(read(os.Args[3]), "\n\n")
	proofSize, proofRoot := open(checkpoint, key)
	lines := strings.Split(head, "\n")
	leaf := must(base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra ")))
	index := must(strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64))
	var proof tlog.RecordProof
	for _, line := range lines[3:] {
		proof = append(proof, hash(line))
	}
	must(0, tlog.CheckRecord(proof, proofSize, proofRoot, index, tlog.RecordHash(leaf)))
	fmt.Println("good:", size, root, "index", index, "of", proofSize)
}
