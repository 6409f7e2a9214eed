// SPDX-License-Identifier: GPL-2.0
/* mellanox_stand_in.c - stand-in of the lab for mlx4_core / mlx5_core, for a PCI function that only looks like a Mellanox one
 * (an igb of QEMU with other ids: emulator.py). It moves no packets: it claims the device, shows a netdev, and has
 * the same SR-IOV user interface as the real driver:
 *   mlx5_core: sriov_numvfs in sysfs (pci_driver.sriov_configure), VFs are probed by the same driver;
 *   mlx4_core: module parameters num_vfs / probe_vf / port_type_array at load time; a write to sriov_numvfs fails
 *              (the real mlx4_core has no sriov_configure). */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/netdevice.h>
#include <linux/etherdevice.h>
#include <linux/ethtool.h>

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 17, 0)
static inline int pci_iov_vf_id(struct pci_dev *d)
{
	struct pci_dev *pf = pci_physfn(d); int p = pci_find_ext_capability(pf, PCI_EXT_CAP_ID_SRIOV); u16 off, stride;
	pci_read_config_word(pf, p + PCI_SRIOV_VF_OFFSET, &off); pci_read_config_word(pf, p + PCI_SRIOV_VF_STRIDE, &stride);
	return (((d->bus->number << 8) + d->devfn) - ((pf->bus->number << 8) + pf->devfn + off)) / (stride ? stride : 1);
}
#endif
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 15, 0)
#define eth_hw_addr_set(d, m) ether_addr_copy((d)->dev_addr, m)
#endif

#define VEN 0x15b3
#define MAXVF 64
struct vfcfg { u8 mac[ETH_ALEN]; u16 vlan; u8 qos; bool spoof, trust; };
struct lab { struct pci_dev *pdev; bool vf; int port; struct net_device *next; struct vfcfg v[MAXVF]; };

#ifdef STAND_IN_MLX4
#define DRV "mlx4_core"
#define EDRV "mlx4_en"
#define PORTS 2
static unsigned char num_vfs[3], probe_vf[3]; static int num_vfs_argc, probe_vfs_argc;
module_param_array(num_vfs, byte, &num_vfs_argc, 0444);
MODULE_PARM_DESC(num_vfs, "enable #num_vfs functions if num_vfs > 0");
module_param_array(probe_vf, byte, &probe_vfs_argc, 0444);
MODULE_PARM_DESC(probe_vf, "number of vfs to probe by pf driver (num_vfs > 0)");
static int port_type_array[2]; static int arr_argc = 2;
module_param_array(port_type_array, int, &arr_argc, 0444);
MODULE_PARM_DESC(port_type_array, "Array of port types: HW_DEFAULT (0) is default 1 for IB, 2 for Ethernet");
static int log_num_mgm_entry_size = -10; module_param_named(log_num_mgm_entry_size, log_num_mgm_entry_size, int, 0444);
static int debug_level; module_param_named(debug_level, debug_level, int, 0644);
static bool enable_qos; module_param(enable_qos, bool, 0444);
static int msi_x = 1; module_param(msi_x, int, 0444);
#else
#define DRV "mlx5_core"
#define EDRV "mlx5_core"
#define PORTS 1
static int prof_sel = 2; module_param_named(prof_sel, prof_sel, uint, 0444);
static uint debug_mask; module_param_named(debug_mask, debug_mask, uint, 0644);
#endif

static netdev_tx_t lab_xmit(struct sk_buff *skb, struct net_device *d) { d->stats.tx_dropped++; dev_kfree_skb(skb); return NETDEV_TX_OK; }
static int lab_open(struct net_device *d) { netif_start_queue(d); netif_carrier_on(d); return 0; }
static int lab_stop(struct net_device *d) { netif_stop_queue(d); netif_carrier_off(d); return 0; }
static struct vfcfg *slot(struct net_device *d, int vf)
{
	struct lab *l = netdev_priv(d);
	return (vf < 0 || vf >= pci_num_vf(l->pdev) || vf >= MAXVF) ? NULL : &l->v[vf];
}
static int lab_vf_mac(struct net_device *d, int vf, u8 *mac) { struct vfcfg *c = slot(d, vf); if (!c) return -EINVAL; ether_addr_copy(c->mac, mac); return 0; }
static int lab_vf_vlan(struct net_device *d, int vf, u16 vlan, u8 qos, __be16 proto) { struct vfcfg *c = slot(d, vf); if (!c) return -EINVAL; c->vlan = vlan; c->qos = qos; return 0; }
static int lab_vf_spoof(struct net_device *d, int vf, bool on) { struct vfcfg *c = slot(d, vf); if (!c) return -EINVAL; c->spoof = on; return 0; }
static int lab_vf_trust(struct net_device *d, int vf, bool on) { struct vfcfg *c = slot(d, vf); if (!c) return -EINVAL; c->trust = on; return 0; }
static int lab_vf_link(struct net_device *d, int vf, int state) { return slot(d, vf) ? 0 : -EINVAL; }
static int lab_vf_get(struct net_device *d, int vf, struct ifla_vf_info *i)
{
	struct vfcfg *c = slot(d, vf);
	if (!c) return -EINVAL;
	i->vf = vf; ether_addr_copy(i->mac, c->mac); i->vlan = c->vlan; i->qos = c->qos; i->spoofchk = c->spoof; i->trusted = c->trust;
	return 0;
}
#ifndef STAND_IN_MLX4
static int lab_pname(struct net_device *d, char *b, size_t n)	/* real mlx5 PFs carry p0: enp1s0np0, enp1s0f0np0 */
{
	struct lab *l = netdev_priv(d);
	if (l->vf) return -EOPNOTSUPP;
	return snprintf(b, n, "p%d", PCI_FUNC(l->pdev->devfn)) >= n ? -EINVAL : 0;
}
#endif
static const struct net_device_ops lab_ops = {
#ifndef STAND_IN_MLX4
	.ndo_get_phys_port_name = lab_pname,
#endif
	.ndo_open = lab_open, .ndo_stop = lab_stop, .ndo_start_xmit = lab_xmit, .ndo_set_mac_address = eth_mac_addr, .ndo_validate_addr = eth_validate_addr,
	.ndo_set_vf_mac = lab_vf_mac, .ndo_set_vf_vlan = lab_vf_vlan, .ndo_set_vf_spoofchk = lab_vf_spoof, .ndo_set_vf_trust = lab_vf_trust,
	.ndo_set_vf_link_state = lab_vf_link, .ndo_get_vf_config = lab_vf_get,
};
static void lab_drvinfo(struct net_device *d, struct ethtool_drvinfo *i)
{
	struct lab *l = netdev_priv(d);
	strscpy(i->driver, EDRV, sizeof(i->driver)); strscpy(i->version, "4.0-0-lab", sizeof(i->version));
	strscpy(i->fw_version, "0.0.0 (LAB0000000000)", sizeof(i->fw_version)); strscpy(i->bus_info, pci_name(l->pdev), sizeof(i->bus_info));
}
static const struct ethtool_ops lab_eops = { .get_drvinfo = lab_drvinfo, .get_link = ethtool_op_get_link };

static int lab_sriov(struct pci_dev *pdev, int n)
{
	int rc;
	if (!n) { pci_disable_sriov(pdev); return 0; }
	rc = pci_enable_sriov(pdev, n);
	return rc ? rc : n;
}
static void lab_drop(struct net_device *d)
{
	while (d) { struct net_device *n = ((struct lab *)netdev_priv(d))->next; unregister_netdev(d); free_netdev(d); d = n; }
}
static int lab_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct net_device *d, *first = NULL; struct lab *l; int rc, port;
#ifdef STAND_IN_MLX4
	if (pdev->is_virtfn && pci_iov_vf_id(pdev) >= probe_vf[0]) { dev_warn(&pdev->dev, "Skipping virtual function:%d\n", pci_iov_vf_id(pdev) + 1); return -ENODEV; }
#endif
	rc = pci_enable_device(pdev); if (rc) return rc;
	for (port = 0; port < PORTS; port++) {	/* a ConnectX-3 shows both its ports on one PCI function (dev_port 0 and 1) */
		d = alloc_etherdev(sizeof(*l)); if (!d) { lab_drop(first); pci_disable_device(pdev); return -ENOMEM; }
		l = netdev_priv(d); l->pdev = pdev; l->vf = pdev->is_virtfn; l->port = port;
		SET_NETDEV_DEV(d, &pdev->dev); d->netdev_ops = &lab_ops; d->ethtool_ops = &lab_eops; d->dev_port = port;
		{ u8 mac[ETH_ALEN] = { pdev->is_virtfn ? 0x02 : 0x00, 0x02, 0xc9, pdev->bus->number, pdev->devfn, 1 + port }; eth_hw_addr_set(d, mac); }
		rc = register_netdev(d); if (rc) { free_netdev(d); lab_drop(first); pci_disable_device(pdev); return rc; }
		netif_carrier_off(d);
		l->next = first; first = d;
	}
	pci_set_drvdata(pdev, first);
	dev_info(&pdev->dev, "stand-in of the lab for %s\n", DRV);
#ifdef STAND_IN_MLX4
	if (!pdev->is_virtfn) {
		int total = num_vfs[0] + num_vfs[1] + num_vfs[2];
		if (total > pci_sriov_get_totalvfs(pdev)) dev_err(&pdev->dev, "Requested more VF's (%d) than allowed (%d)\n", total, pci_sriov_get_totalvfs(pdev));
		else if (total) { dev_warn(&pdev->dev, "Enabling SR-IOV with %d VFs\n", total); rc = pci_enable_sriov(pdev, total); if (rc) dev_err(&pdev->dev, "Failed to enable SR-IOV, continuing without SR-IOV (err = %d)\n", rc); else dev_warn(&pdev->dev, "Running in master mode\n"); }
	}
#endif
	return 0;
}
static void lab_remove(struct pci_dev *pdev)
{
	struct net_device *d = pci_get_drvdata(pdev);
	if (!pdev->is_virtfn) pci_disable_sriov(pdev);
	lab_drop(d); pci_disable_device(pdev);
}
static const struct pci_device_id ids[] = {
#ifdef STAND_IN_MLX4
	{ PCI_DEVICE(VEN, 0x1003) }, { PCI_DEVICE(VEN, 0x1004) }, { PCI_DEVICE(VEN, 0x1007) },
#else
	{ PCI_DEVICE(VEN, 0x1013) }, { PCI_DEVICE(VEN, 0x1014) }, { PCI_DEVICE(VEN, 0x1015) }, { PCI_DEVICE(VEN, 0x1016) }, { PCI_DEVICE(VEN, 0x1017) }, { PCI_DEVICE(VEN, 0x1018) },
	{ PCI_DEVICE(VEN, 0x1019) }, { PCI_DEVICE(VEN, 0x101a) }, { PCI_DEVICE(VEN, 0x101b) }, { PCI_DEVICE(VEN, 0x101c) }, { PCI_DEVICE(VEN, 0x101d) }, { PCI_DEVICE(VEN, 0x101e) },
#endif
	{ } };
MODULE_DEVICE_TABLE(pci, ids);
static struct pci_driver drv = { .name = DRV, .id_table = ids, .probe = lab_probe, .remove = lab_remove,
#ifndef STAND_IN_MLX4
	.sriov_configure = lab_sriov,
#endif
};
#ifdef STAND_IN_MLX4
static int (*const unused)(struct pci_dev *, int) __maybe_unused = lab_sriov;
#endif
module_pci_driver(drv);
MODULE_LICENSE("GPL"); MODULE_VERSION("lab"); MODULE_DESCRIPTION("stand-in of the lab for " DRV);
