# The command: floors 4 and 5. All but main.c is a library, so that tests can reach it.
file(GLOB cli CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/cli/*.c)
list(REMOVE_ITEM cli ${CMAKE_SOURCE_DIR}/src/cli/main.c)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(ZIP REQUIRED IMPORTED_TARGET libzip)
pkg_check_modules(EDIT REQUIRED IMPORTED_TARGET libedit)
file(GLOB repro CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/repro/*.c) # reproductions of papers
add_library(szilard_cli STATIC ${cli} ${repro})
target_include_directories(szilard_cli PUBLIC ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/repro)
target_link_libraries(szilard_cli PUBLIC szilard_products szilard_serve PkgConfig::CURL PkgConfig::ZIP PkgConfig::EDIT)
add_executable(szilard ${CMAKE_SOURCE_DIR}/src/cli/main.c)
target_link_libraries(szilard PRIVATE szilard_cli)
