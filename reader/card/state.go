package card

// String is the state in a word, for machines.
func (s State) String() string {
	switch s {
	case StateReady:
		return "ready"
	case StateNotSetUp:
		return "not-set-up"
	case StateNoSeed:
		return "no-seed"
	case StatePINBlocked:
		return "pin-blocked"
	case StateBlocked:
		return "blocked"
	case StateNeedsReset:
		return "needs-reset"
	}
	return "unknown"
}

// Sentence says what state the card is in and what a person can do about it. A
// card that wants a second device says that first: nothing here signs with it.
func (i Info) Sentence() string {
	s := i.State.sentence()
	if i.State == StatePINBlocked && i.PUKTries == 1 {
		s += " One try of the PUK is left; after it only a factory reset helps."
	}
	if !i.TwoFactor {
		return s
	}
	two := ErrTwoFactor.Sentence + " Use the program that set it up."
	if i.State == StateReady {
		return two
	}
	return two + " " + s
}

func (s State) sentence() string {
	switch s {
	case StateReady:
		return "The card is set up and holds a key. It wants its PIN."
	case StateNotSetUp:
		return ErrNotSetUp.Sentence + " Set it up, which gives it a PIN and a PUK."
	case StateNoSeed:
		return ErrNoSeed.Sentence + " Enter its PIN and load a seed."
	case StatePINBlocked:
		return ErrBlocked.Sentence
	case StateBlocked:
		return ErrPUKBlocked.Sentence
	case StateNeedsReset:
		return ErrNeedsReset.Sentence
	}
	return "The card does not tell its state. Take it out and put it back."
}

// Abilities names, in a fixed order, what a card can do besides signing: the
// optional interfaces that it implements.
func Abilities(c Card) []string {
	var can []string
	add := func(ok bool, name string) {
		if ok {
			can = append(can, name)
		}
	}
	_, ok := c.(Initializer)
	add(ok, "set-up")
	_, ok = c.(SeedLoader)
	add(ok, "load-seed")
	_, ok = c.(PINChanger)
	add(ok, "change-pin")
	_, ok = c.(Unblocker)
	add(ok, "unblock")
	_, ok = c.(Labeler)
	add(ok, "label")
	_, ok = c.(Attester)
	add(ok, "attest")
	_, ok = c.(SeedEraser)
	add(ok, "erase-seed")
	_, ok = c.(Resetter)
	add(ok, "factory-reset")
	return can
}
