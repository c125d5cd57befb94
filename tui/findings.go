package tui

import (
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/lipgloss"

	"github.com/airlock-signer/airlock/signer"
)

// kind is one code with all its findings.
type kind struct {
	code   signer.Code
	worst  signer.Severity
	places []signer.Finding
}

// kinds puts the findings of a code together, in the order of the report.
func kinds(r *signer.Report) []kind {
	var list []kind
	at := map[signer.Code]int{}
	for _, f := range r.Findings {
		i, ok := at[f.Code]
		if !ok {
			i = len(list)
			at[f.Code] = i
			list = append(list, kind{code: f.Code, worst: f.Severity})
		}
		list[i].places = append(list[i].places, f)
	}
	return list
}

// addVerdict says the verdict and counts the findings.
func addVerdict(p *page, r *signer.Report, list []kind) {
	counts := map[signer.Severity]int{}
	for _, k := range list {
		counts[k.worst]++
	}
	switch r.Verdict {
	case signer.VerdictRefused:
		p.styled(styleBad, "REFUSED: %s that no acknowledgement can carry. There is no way on with this file.", plural(counts[signer.Refuse], "kind of danger", "kinds of danger"))
	case signer.VerdictCaution:
		p.styled(styleCare, "CAUTION: %s to acknowledge, each on its own page.", plural(counts[signer.Caution], "unusual thing", "unusual things"))
	case signer.VerdictClear:
		p.styled(styleGood, "CLEAR: nothing unusual was found.")
	}
	p.add("Findings: %d refused, %s, %s.", counts[signer.Refuse], plural(counts[signer.Caution], "caution", "cautions"), plural(counts[signer.Note], "note", "notes"))
}

// addKinds lists the codes found, a line each, as far as there is room.
func addKinds(p *page, list []kind, room int) {
	for i, k := range list {
		if i == room-1 && len(list) > room {
			p.add("  and %s more", plural(len(list)-i, "kind", "kinds"))
			return
		}
		line := fmt.Sprintf("  %-8s %-30s", k.worst, k.code)
		if len(k.places) > 1 {
			line += fmt.Sprintf(" %d places", len(k.places))
		}
		p.raw(severityStyle(k.worst).Render(strings.TrimRight(line, " ")))
	}
}

func severityStyle(s signer.Severity) lipgloss.Style {
	switch s {
	case signer.Refuse:
		return styleBad
	case signer.Caution:
		return styleCare
	}
	return lipgloss.NewStyle()
}

// addKind writes one code: what is wrong and where, what it could cost, what to
// do. What is the same for several places is said once. The sentences are
// escaped already.
func addKind(p *page, k kind) {
	p.styled(severityStyle(k.worst), "%s: %s", k.worst, k.code)
	type about struct {
		subject      signer.Subject
		cost, remedy string
	}
	type said struct {
		about
		what string
	}
	var order []about
	whats := map[about][]string{}
	where := map[said][]int{}
	for _, f := range k.places {
		a := about{f.Subject, f.Cost, f.Remedy}
		s := said{a, f.What}
		if whats[a] == nil {
			order = append(order, a)
		}
		if where[s] == nil {
			whats[a] = append(whats[a], f.What)
		}
		where[s] = append(where[s], f.Index)
	}
	for i, a := range order {
		if i > 0 {
			p.gap()
		}
		for _, what := range whats[a] {
			if len(whats[a]) > 1 && a.subject != signer.SubjectTransaction {
				p.hang("  ", placesText(a.subject, where[said{a, what}])+": "+what)
				continue
			}
			p.hang("  what   ", what)
			if a.subject != signer.SubjectTransaction {
				p.hang("  where  ", placesText(a.subject, where[said{a, what}]))
			}
		}
		if a.cost != "" {
			p.hang("  risk   ", a.cost)
		}
		if a.remedy != "" {
			p.hang("  to do  ", a.remedy)
		}
	}
}

// placesText writes indexes for people: "inputs 0 to 4, 7 (6 places)".
func placesText(s signer.Subject, index []int) string {
	index = slices.Clone(index)
	slices.Sort(index)
	index = slices.Compact(index)
	if len(index) == 1 {
		return fmt.Sprintf("%s %d", s, index[0])
	}
	var parts []string
	for i := 0; i < len(index); {
		j := i
		for j+1 < len(index) && index[j+1] == index[j]+1 {
			j++
		}
		switch {
		case j > i+1:
			parts = append(parts, fmt.Sprintf("%d to %d", index[i], index[j]))
		case j > i:
			parts = append(parts, fmt.Sprint(index[i]), fmt.Sprint(index[j]))
		default:
			parts = append(parts, fmt.Sprint(index[i]))
		}
		i = j + 1
	}
	return fmt.Sprintf("%ss %s (%d places)", s, strings.Join(parts, ", "), len(index))
}
