# What `make install` brings: libraries, headers, pkg-config file, command, man page, completion.
file(RELATIVE_PATH SZ_PC_TO_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" SZ_PC_TO_PREFIX ${SZ_PC_TO_PREFIX})
configure_file(${CMAKE_SOURCE_DIR}/cmake/szilard.pc.in ${CMAKE_BINARY_DIR}/szilard.pc @ONLY)

# The libraries, and what is made from the command: all that people use, without the tests.
add_custom_target(product DEPENDS szilard_shared szilard_static)
install(TARGETS szilard_shared szilard_static LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${CMAKE_BINARY_DIR}/szilard.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

if(TARGET szilard AND NOT CMAKE_CROSSCOMPILING)
  add_custom_command(OUTPUT szilard.1 szilard.bash DEPENDS szilard
    COMMAND szilard --man > szilard.1
    COMMAND szilard --completion bash > szilard.bash
    COMMENT "Writing the man page and the completion")
  add_custom_target(command_files DEPENDS szilard.1 szilard.bash)
  add_dependencies(product command_files)
  install(TARGETS szilard RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(FILES ${CMAKE_BINARY_DIR}/szilard.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  install(FILES ${CMAKE_BINARY_DIR}/szilard.bash RENAME szilard
          DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
endif()
