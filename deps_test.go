package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// machine is a made-up machine for .ci/deps: commands by name, as shell scripts.
type machine map[string]string

func (m machine) with(more machine) machine {
	all := machine{}
	for _, from := range []machine{m, more} {
		for name, script := range from {
			if script == "" {
				delete(all, name)
				continue
			}
			all[name] = script
		}
	}
	return all
}

// run runs .ci/deps on the machine, and returns what it said, whether it
// succeeded, and the privileged commands it ran.
func (m machine) run(t *testing.T, env ...string) (said string, ok bool, done string) {
	t.Helper()
	dir := t.TempDir()
	for name, script := range m {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	journal := filepath.Join(dir, "journal")
	c := exec.Command("/bin/sh", ".ci/deps", "there", "absent")
	c.Env = append([]string{"PATH=" + dir, "JOURNAL=" + journal}, env...)
	out, err := c.CombinedOutput()
	ran, _ := os.ReadFile(journal) // not there where nothing was run
	return string(out), err == nil, string(ran)
}

// TestDeps: what the set-up of the make targets says and does on machines of
// different kinds.
func TestDeps(t *testing.T) {
	debian := machine{
		"go":         `echo go1.26.3`,
		"dpkg-query": `case "$*" in *there) echo 'install ok installed';; *) exit 1;; esac`,
		"apt-get":    `echo "apt-get $*" >>"$JOURNAL"`,
		"env":        `shift; exec "$@"`,
		"id":         `echo 0`,
		"sudo":       `echo sudo >>"$JOURNAL"; exec "$@"`,
	}
	const install = "apt-get install -y --no-install-recommends absent\n"
	fresh := machine{"apt-get": `echo "apt-get $*" >>"$JOURNAL"
case $1 in update) : >"$JOURNAL.lists";; *) [ -e "$JOURNAL.lists" ];; esac`}
	for name, tc := range map[string]struct {
		m    machine
		env  string
		ok   bool
		said string
		done string
	}{
		"all there":        {debian.with(machine{"dpkg-query": `echo 'install ok installed'`}), "", true, "", ""},
		"one absent, root": {debian, "", true, "missing and will be installed: absent", install},
		"one absent, sudo": {debian.with(machine{"id": "echo 1000"}), "", true, "sudo may ask for your password", "sudo\n" + install},
		"removed, configuration left": {debian.with(machine{"dpkg-query": `case "$*" in *there) echo 'install ok installed';; *) echo 'deinstall ok config-files';; esac`}),
			"", true, "will be installed: absent", install},
		"no package lists yet":     {debian.with(fresh), "", true, "package lists", install + "apt-get update\n" + install},
		"no such package":          {debian.with(machine{"apt-get": `exit 100`}), "", false, "could not be installed", ""},
		"no sudo":                  {debian.with(machine{"id": "echo 1000", "sudo": ""}), "", false, "As root, run: apt-get install absent", ""},
		"no apt-get":               {debian.with(machine{"apt-get": ""}), "", false, "no apt-get", ""},
		"no apt-get, own packages": {debian.with(machine{"apt-get": ""}), "AIRLOCK_DEPS=skip", true, "", ""},
		"no Go":                    {debian.with(machine{"go": ""}), "", false, "Go is not installed", ""},
		"Go too old":               {debian.with(machine{"go": "echo go1.25.9"}), "", false, "Go on this machine is go1.25.9", ""},
		"much too old":             {debian.with(machine{"go": "echo go1.9"}), "AIRLOCK_DEPS=skip", false, "go1.9", ""},
		"release candidate":        {debian.with(machine{"go": "echo go1.26rc1"}), "AIRLOCK_DEPS=skip", true, "", ""},
		"later Go":                 {debian.with(machine{"go": "echo go1.30"}), "AIRLOCK_DEPS=skip", true, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			said, ok, done := tc.m.run(t, tc.env)
			if ok != tc.ok || done != tc.done || !strings.Contains(said, tc.said) || tc.said == "" && said != "" {
				t.Errorf("succeeded: %v, ran %q, said:\n%s", ok, done, said)
			}
		})
	}
}
