package session

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/airlock-signer/airlock/reader"
	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/reader/pcsctest"
	"github.com/airlock-signer/airlock/reader/simcard"
)

// rig is one reader, the service behind it, and the hand that plays with both.
type rig interface {
	reader.Backend
	name() string // of the reader
	in(simcard.Card)
	// out may come while the card is being asked something: that ends without a
	// reply.
	out()
	unplug() // the card stays in the reader
	plug()
	stop() // the service
	start()
}

// simulated is a rig of simulated readers: quick.
type simulated struct {
	*simcard.Readers
	t *testing.T
}

func newSimulated(t *testing.T) rig { return simulated{simcard.NewReaders(testReader), t} }

func (r simulated) name() string { return testReader }
func (r simulated) in(c simcard.Card) {
	if err := r.Insert(testReader, c); err != nil {
		r.t.Fatal(err)
	}
}
func (r simulated) out() {
	if err := r.Remove(testReader); err != nil {
		r.t.Fatal(err)
	}
}
func (r simulated) unplug() {
	if err := r.Unplug(testReader); err != nil {
		r.t.Fatal(err)
	}
}
func (r simulated) plug()  { r.Plug(testReader) }
func (r simulated) stop()  { r.ServiceDown() }
func (r simulated) start() { r.ServiceUp() }

// real is the real pcscd with its virtual reader.
type real struct {
	*reader.PCSC
	service *pcsctest.Service
	pull    context.CancelFunc // nil: empty
	ended   chan struct{}
	cut     atomic.Pointer[context.CancelFunc]
}

func (r *real) name() string { return pcsctest.Reader }

// in plays the card until it is taken out: it stays in the reader while the
// service is stopped or the plug is out, and when it gave no reply.
func (r *real) in(c simcard.Card) {
	if r.ended != nil {
		<-r.ended
	}
	ctx, pull := context.WithCancel(context.Background())
	r.pull, r.ended = pull, make(chan struct{})
	go func(ended chan struct{}) {
		defer close(ended)
		for ctx.Err() == nil {
			link, cut := context.WithCancel(ctx)
			r.cut.Store(&cut)
			_ = simcard.ServeVPCD(link, r.service.CardAddr(), c, nil) // ends as link does, or with a card that does not reply
			cut()
		}
	}(r.ended)
}

func (r *real) out() {
	if r.pull != nil {
		r.pull()
	}
}

func (r *real) unplug() { r.service.Pull(r) }

// Remove ends an exchange that is under way, for Pull.
func (r *real) Remove() {
	if cut := r.cut.Load(); cut != nil {
		(*cut)()
	}
}

func (r *real) plug()  { r.service.Plug() }
func (r *real) stop()  { r.service.Stop() }
func (r *real) start() { r.service.Start() }

// gated is a rig whose next opening of a card waits for something.
type gated struct {
	rig
	before chan func() // what happens before the next Connect
}

func (g gated) Connect(ctx context.Context, slot string) (card.Transport, error) {
	select {
	case f := <-g.before:
		f()
	default:
	}
	return g.rig.Connect(ctx, slot)
}

// maker makes software cards of one make and version, all with the demo seed
// and the demo PIN. A later make is one row.
type maker struct {
	name   string
	file   string                                            // what is signed with it
	make   func(t *testing.T, name string) softCard          // name tells one card from another
	lie    func(c softCard, instead func([]uint32) []uint32) // has it give another key; nil honest
	code   func(c softCard) string                           // as the station shows it; "" where it has none
	verify byte                                              // instruction that takes a PIN
	signs  []byte                                            // instructions that sign with a key of the seed
	picked []byte                                            // command that selects its applet
	// identity: its cards can be told apart before the PIN.
	identity bool
}

// softCard is a software card that keeps an account.
type softCard interface {
	simcard.Card
	Log() []simcard.Exchange
	Digests() [][32]byte // signed
}

func satochipMaker(name, version, file string) maker {
	return maker{
		name: name, file: file, identity: version != simcard.Satochip011,
		make: func(t *testing.T, name string) softCard { return demoCard(t, version, name) },
		lie: func(c softCard, instead func([]uint32) []uint32) {
			c.(*simcard.Satochip).Substitute(instead)
		},
		code: func(c softCard) string {
			if version == simcard.Satochip011 {
				return "" // its key is that of the seed
			}
			return card.IdentityCode(c.(*simcard.Satochip).Authentikey())
		},
		verify: 0x42, signs: []byte{0x6E, 0x7A, 0x7B}, picked: []byte("\x00\xA4\x04\x00\x08SatoChip"),
	}
}

func makers() []maker {
	return []maker{
		satochipMaker("Satochip 0.12", simcard.Satochip012, "payment.psbt"),
		satochipMaker("Satochip 0.14 taproot", simcard.Satochip014, "more/payment-taproot.psbt"),
		satochipMaker("Satochip 0.11", simcard.Satochip011, "payment.psbt"),
	}
}
