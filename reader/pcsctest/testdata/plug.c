/*
 * A USB reader that is none, for pcscd. Two things in one library:
 *
 * - pcscd's driver for that reader, which passes everything on to Debian's
 *   virtual reader (libifdvpcd, AIRLOCK_TEST_DRIVER) listening on
 *   AIRLOCK_TEST_PORT, and has one slot;
 * - what pcscd asks libudev (LD_PRELOAD), so that it learns of the reader as of
 *   a device on the bus. The reader is out while the file AIRLOCK_TEST_UNPLUGGED
 *   exists; a byte on the FIFO AIRLOCK_TEST_EVENTS says that this changed.
 *
 * The interfaces are those of PC/SC Lite's ifdhandler.h and of libudev.h.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ifdhandler.h>

static int unplugged(void)
{
	return access(getenv("AIRLOCK_TEST_UNPLUGGED"), F_OK) == 0;
}

/* libudev: one bus with one device, which is its own parent. All objects are this one. */

static char object;

void *udev_new(void) { return &object; }
void *udev_unref(void *u) { (void)u; return NULL; }

void *udev_enumerate_new(void *u) { return u; }
int udev_enumerate_add_match_subsystem(void *e, const char *s) { (void)e; (void)s; return 0; }
int udev_enumerate_scan_devices(void *e) { (void)e; return 0; }
void *udev_enumerate_get_list_entry(void *e) { return unplugged() ? NULL : e; }
void *udev_enumerate_unref(void *e) { (void)e; return NULL; }
void *udev_list_entry_get_next(void *l) { (void)l; return NULL; }
const char *udev_list_entry_get_name(void *l) { (void)l; return "/sys/airlock"; }

void *udev_device_new_from_syspath(void *u, const char *path) { (void)path; return u; }
void *udev_device_unref(void *d) { (void)d; return NULL; }
void *udev_device_get_parent_with_subsystem_devtype(void *d, const char *s, const char *t) { (void)s; (void)t; return d; }
const char *udev_device_get_devnode(void *d) { (void)d; return "/dev/airlock"; }
const char *udev_device_get_sysname(void *d) { (void)d; return "airlock"; }
const char *udev_device_get_action(void *d) { (void)d; return unplugged() ? "remove" : "add"; }

const char *udev_device_get_sysattr_value(void *d, const char *name)
{
	(void)d;
	if (!strcmp(name, "idVendor") || !strcmp(name, "idProduct"))
		return "a1a1";
	return NULL;
}

void *udev_monitor_new_from_netlink(void *u, const char *name) { (void)name; return u; }
int udev_monitor_filter_add_match_subsystem_devtype(void *m, const char *s, const char *t) { (void)m; (void)s; (void)t; return 0; }
int udev_monitor_enable_receiving(void *m) { (void)m; return 0; }

int udev_monitor_get_fd(void *m)
{
	static int fd = -1;

	(void)m;
	if (fd < 0)
		fd = open(getenv("AIRLOCK_TEST_EVENTS"), O_RDWR | O_CLOEXEC);
	return fd;
}

void *udev_monitor_receive_device(void *m)
{
	char event;

	return read(udev_monitor_get_fd(m), &event, 1) == 1 ? &object : NULL;
}

/* The driver. */

static void *driver(const char *name)
{
	static void *lib;

	/* DEEPBIND: or it would call the functions below instead of its own */
	if (!lib)
		lib = dlopen(getenv("AIRLOCK_TEST_DRIVER"), RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
	return lib ? dlsym(lib, name) : NULL;
}

#define FORWARD(name, params, ...) \
	RESPONSECODE (*f) params = driver(name); \
	if (!f || unplugged()) \
		return IFD_NO_SUCH_DEVICE; \
	return f(__VA_ARGS__)

static RESPONSECODE create(DWORD lun, LPSTR device)
{
	FORWARD("IFDHCreateChannelByName", (DWORD, LPSTR), lun, device);
}

RESPONSECODE IFDHCreateChannelByName(DWORD lun, LPSTR device)
{
	char listening[64];

	(void)device; /* the name of a USB device */
	snprintf(listening, sizeof listening, "/dev/null:%s", getenv("AIRLOCK_TEST_PORT"));
	return create(lun, listening);
}

RESPONSECODE IFDHCreateChannel(DWORD lun, DWORD channel)
{
	(void)channel;
	return IFDHCreateChannelByName(lun, NULL);
}

/* Closing has to reach the driver also when the plug is out. */
RESPONSECODE IFDHCloseChannel(DWORD lun)
{
	RESPONSECODE (*f)(DWORD) = driver("IFDHCloseChannel");

	return f ? f(lun) : IFD_NO_SUCH_DEVICE;
}

RESPONSECODE IFDHGetCapabilities(DWORD lun, DWORD tag, PDWORD length, PUCHAR value)
{
	if (tag == TAG_IFD_SLOTS_NUMBER && *length >= 1) {
		*value = 1;
		*length = 1;
		return IFD_SUCCESS;
	}
	RESPONSECODE (*f)(DWORD, DWORD, PDWORD, PUCHAR) = driver("IFDHGetCapabilities");

	return f ? f(lun, tag, length, value) : IFD_NO_SUCH_DEVICE;
}

RESPONSECODE IFDHSetCapabilities(DWORD lun, DWORD tag, DWORD length, PUCHAR value)
{
	FORWARD("IFDHSetCapabilities", (DWORD, DWORD, DWORD, PUCHAR), lun, tag, length, value);
}

RESPONSECODE IFDHSetProtocolParameters(DWORD lun, DWORD protocol, UCHAR flags, UCHAR pts1, UCHAR pts2, UCHAR pts3)
{
	FORWARD("IFDHSetProtocolParameters", (DWORD, DWORD, UCHAR, UCHAR, UCHAR, UCHAR), lun, protocol, flags, pts1, pts2, pts3);
}

RESPONSECODE IFDHPowerICC(DWORD lun, DWORD action, PUCHAR atr, PDWORD length)
{
	FORWARD("IFDHPowerICC", (DWORD, DWORD, PUCHAR, PDWORD), lun, action, atr, length);
}

static RESPONSECODE transmit(DWORD lun, SCARD_IO_HEADER send, PUCHAR tx, DWORD txLength, PUCHAR rx, PDWORD rxLength, PSCARD_IO_HEADER receive)
{
	FORWARD("IFDHTransmitToICC", (DWORD, SCARD_IO_HEADER, PUCHAR, DWORD, PUCHAR, PDWORD, PSCARD_IO_HEADER), lun, send, tx, txLength, rx, rxLength, receive);
}

RESPONSECODE IFDHTransmitToICC(DWORD lun, SCARD_IO_HEADER send, PUCHAR tx, DWORD txLength, PUCHAR rx, PDWORD rxLength, PSCARD_IO_HEADER receive)
{
	RESPONSECODE r = transmit(lun, send, tx, txLength, rx, rxLength, receive);

	/* pulled out during the exchange */
	return unplugged() ? IFD_NO_SUCH_DEVICE : r;
}

RESPONSECODE IFDHControl(DWORD lun, DWORD code, PUCHAR tx, DWORD txLength, PUCHAR rx, DWORD rxLength, LPDWORD returned)
{
	FORWARD("IFDHControl", (DWORD, DWORD, PUCHAR, DWORD, PUCHAR, DWORD, LPDWORD), lun, code, tx, txLength, rx, rxLength, returned);
}

RESPONSECODE IFDHICCPresence(DWORD lun)
{
	FORWARD("IFDHICCPresence", (DWORD), lun);
}
