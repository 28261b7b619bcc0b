# SPDX-License-Identifier: Apache-2.0
# The Debian package: `cpack --config build/release/CPackConfig.cmake -B DIR`, or the target
# "package".
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME ebpfd)
set(CPACK_PACKAGE_VENDOR ebpfd)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "network policies of Kubernetes, enforced with eBPF")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"A node agent that decides for every packet of every local pod whether the
network policies in a directory allow it, and says which rule decided; and
ebpfctl, which shows it. The policy outlives the agent: restarts and upgrades
leave it in force, removing this package takes it away.")
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "ebpfd maintainers <maintainers@ebpfd.io>")
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# procps has the unit's /bin/kill.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "init-system-helpers, procps")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${CMAKE_SOURCE_DIR}/deploy/debian/postinst ${CMAKE_SOURCE_DIR}/deploy/debian/prerm
  ${CMAKE_SOURCE_DIR}/deploy/debian/postrm ${CMAKE_SOURCE_DIR}/deploy/debian/conffiles)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_STRIP_FILES ON)
# Some paths are absolute, /etc for one.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
include(CPack)
